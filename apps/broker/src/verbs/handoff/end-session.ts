import type { Deps } from "../../deps.ts";
import type { Browser } from "../person/become-person.ts";
import type { Visit } from "./visit.ts";

/**
 * Ends a visit to the settings page. What was saved is kept.
 * @param forget the browser that is to prove nothing for this build any more. A copy of its cookie may have opened
 * visits, so all of the person's end with it
 * @returns whether the browser still proves something
 */
export async function endSession(
  deps: Pick<Deps, "change" | "now">,
  visit: Visit,
  forget: Browser | undefined,
): Promise<{ readonly isBrowserKnown: boolean }> {
  const { id: sessionId, buildId, personId } = visit.session;
  return deps.change(visit, [buildId], async (tx) => {
    const now = deps.now();
    await tx.sessions.end(sessionId, buildId, now);
    const proven =
      forget === undefined ? [] : await tx.persons.forgetBrowser(forget.hash, buildId, now, personId);
    for (const id of proven) await tx.sessions.endByPerson(id, now);
    tx.audit("session.ended", buildId, { forgotten: forget !== undefined });
    const known = forget === undefined ? [] : await tx.persons.listByBrowser(forget.hash, now);
    return { isBrowserKnown: known.length > 0 };
  });
}
