import type { PersonRow, Tables } from "@keyloan/store";
import { sessionExpired } from "../../auth/session-expired.ts";
import { isVisitOver } from "../../auth/sessions.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { mayWrite, personOnly, standingOf } from "../person/standing.ts";
import { settingsChanged } from "./editable-build.ts";

type Changes = Parameters<Tables["builds"]["changeSettings"]>[2];

/**
 * One step of a build's settings, in the transaction of what it changes. Who may take it is asked here once more: what
 * let a visit in may have ended while its request was under way.
 * @returns the person who takes it; `undefined` before the first save, and for anybody but a visit
 * @throws BrokerError `settings_changed` when another step came first, and what {@link requirePerson} does
 */
export async function takeStep(
  deps: Pick<Deps, "now">,
  tx: Unit,
  build: { readonly id: string; readonly settingsVersion: number },
  changes: Changes = {},
): Promise<PersonRow | undefined> {
  const person = await requirePerson(deps, tx);
  if (!(await tx.builds.changeSettings(build.id, build.settingsVersion, changes))) throw settingsChanged();
  return person;
}

/**
 * That a visit is open now, and is the person's or nobody's yet; whoever is no visit passes.
 * @throws BrokerError `session_expired`, `person_only`
 */
export async function requirePerson(deps: Pick<Deps, "now">, tx: Unit): Promise<PersonRow | undefined> {
  const { actor } = tx.by;
  if (actor.kind !== "session") return undefined;
  const session = await tx.sessions.find(actor.sessionId);
  if (session === undefined || isVisitOver(session, deps.now())) throw sessionExpired();
  const { standing, person } = await standingOf(tx, session);
  if (!mayWrite(standing)) throw personOnly(standing);
  return person;
}
