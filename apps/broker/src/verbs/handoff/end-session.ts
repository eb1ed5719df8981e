import type { Deps } from "../../deps.ts";
import type { Browser } from "../person/become-person.ts";
import type { Visit } from "./visit.ts";

/**
 * Ends a visit to the settings page. What was saved is kept.
 * @param forget the browser that is to prove nothing for this build any more
 * @returns whether the browser still proves something
 */
export async function endSession(
  deps: Pick<Deps, "change" | "now">,
  visit: Visit,
  forget: Browser | undefined,
): Promise<{ readonly isBrowserKnown: boolean }> {
  const { id: sessionId, buildId } = visit.session;
  return deps.change(visit, [buildId], async (tx) => {
    await tx.sessions.end(sessionId, buildId, deps.now());
    if (forget !== undefined) await tx.persons.forgetBrowser(forget.hash, buildId);
    tx.audit("session.ended", buildId, { forgotten: forget !== undefined });
    const known = forget === undefined ? [] : await tx.persons.listByBrowser(forget.hash, deps.now());
    return { isBrowserKnown: known.length > 0 };
  });
}
