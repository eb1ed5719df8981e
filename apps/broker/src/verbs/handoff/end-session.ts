import type { Deps } from "../../deps.ts";
import type { Browser } from "../person/become-person.ts";
import type { Visit } from "./visit.ts";

/**
 * Ends a visit to the settings page. What was saved is kept.
 * @param forget nobody here is to prove anything for this build any more, and no other visit of the person goes on: a
 * copy of the browser's cookie may have opened one
 * @returns whether the browser still proves something
 */
export async function endSession(
  deps: Pick<Deps, "change" | "now">,
  visit: Visit,
  forget: boolean,
  browser: Browser | undefined,
): Promise<{ readonly isBrowserKnown: boolean }> {
  const { id: sessionId, buildId, personId } = visit.session;
  return deps.change(visit, [buildId], async (tx) => {
    const now = deps.now();
    await tx.sessions.end(sessionId, buildId, now);
    if (forget) {
      const own = personId === null ? [] : [personId];
      const proven =
        browser === undefined ? [] : await tx.persons.forgetBrowser(browser.hash, buildId, now, personId);
      for (const id of new Set([...own, ...proven])) await tx.sessions.endByPerson(id, now);
    }
    tx.audit("session.ended", buildId, { forgotten: forget });
    const known = browser === undefined ? [] : await tx.persons.listByBrowser(browser.hash, now);
    return { isBrowserKnown: known.length > 0 };
  });
}
