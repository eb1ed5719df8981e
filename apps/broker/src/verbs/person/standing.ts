import { BrokerError, type PersonView } from "@keyloan/contract";
import type { PersonRow, SessionRow, Tables } from "@keyloan/store";

export type Standing = PersonView["standing"];

/** Who a session is to its build, and who the build's person is now. */
export async function standingOf(
  tables: Pick<Tables, "persons" | "userKeys">,
  session: Pick<SessionRow, "buildId" | "personId">,
): Promise<{ readonly standing: Standing; readonly person: PersonRow | undefined }> {
  const person = await tables.persons.findByBuild(session.buildId);
  if (person !== undefined) {
    return { standing: session.personId === person.id ? "you" : "someone_else", person };
  }
  // What was saved before persons were known belongs to somebody, who has no way to prove it.
  const isSaved = (await tables.userKeys.listByBuild(session.buildId)).some(
    ({ personId }) => personId === null,
  );
  return { standing: isSaved ? "nobody_can_prove" : "none", person };
}

/** Whether a session may do what only the person may, or whoever is about to become it. */
export function mayWrite(standing: Standing): boolean {
  return standing === "you" || standing === "none";
}

export function personOnly(standing: Standing = "someone_else"): BrokerError {
  return standing === "nobody_can_prove"
    ? new BrokerError("person_only", "these keys were saved before this page knew who they belong to", {
        remedy: "Start over on this page: your own keys then replace them.",
      })
    : new BrokerError("person_only", "only the person who saved keys here has permission to do this", {
        remedy:
          "Open the page in the browser in which they were saved, or enter the recovery code. If both are lost, start over.",
      });
}
