import { type Actor, newId } from "@keyloan/contract";
import type { ClaimedJob, StartOverRow, StoredEnding, Tables } from "@keyloan/store";
import type { Services } from "../../services.ts";
import { cancelRows } from "../transfers/cancel-transfer.ts";
import { tellStartOver } from "./tell-start-over.ts";

const pageMax = 100;

/**
 * Does every start over whose time to be refused is over.
 * @returns how many this call has done
 */
export async function sweepStartOvers(services: Services, signal?: AbortSignal): Promise<number> {
  const actor = { kind: "system", part: "start-over" } as const;
  let done = 0;
  for (const row of await services.store.read.startOvers.listDue(services.now(), pageMax)) {
    if (signal?.aborted === true) break;
    if (await executeStartOver(services, row, actor)) done += 1;
  }
  return done;
}

/**
 * Ends the person of a build with every proof of theirs, and what they saved. What the app uses stays in use, and
 * nobody reads it, until it is replaced. A move of data under way is cancelled: its key goes when it is undone.
 * @returns false when it was refused, withdrawn or done meanwhile
 */
export async function executeStartOver(
  services: Services,
  row: StartOverRow,
  actor: Actor,
  requestId?: string,
): Promise<boolean> {
  const jobs = await services.store.write((tables) => startOverIn(services, tables, row, actor, requestId));
  if (jobs === undefined) return false;
  void services.runner.run(row.buildId, [...jobs]);
  return true;
}

/**
 * The same in a transaction that is under way.
 * @returns jobs that this process holds and has to run; `undefined` when there is nothing to do any more
 */
export async function startOverIn(
  services: Services,
  tables: Tables,
  row: StartOverRow,
  actor: Actor,
  requestId: string | undefined,
): Promise<readonly ClaimedJob[] | undefined> {
  const { buildId } = row;
  const now = services.now();
  if (!(await tables.startOvers.end(row.id, "done", now))) return undefined;
  const ending = { at: now, ...(row.address === null ? {} : { address: row.address }) };
  await endPerson(services, tables, buildId, ending);
  const undoing = await cancelMoves(services, tables, buildId, actor, requestId);
  await tables.userKeys.removeLeftBehind(buildId);
  const build = await tables.builds.find(buildId);
  if (build !== undefined) await tables.builds.changeSettings(buildId, build.settingsVersion);
  await tellStartOver(services, tables, row, "done", actor, requestId);
  return undoing;
}

async function endPerson(
  services: Services,
  tables: Tables,
  buildId: string,
  ending: StoredEnding,
): Promise<void> {
  const person = await tables.persons.findByBuild(buildId);
  if (person !== undefined) {
    await tables.persons.end(buildId, ending.at, ending);
    await tables.sessions.endByPerson(person.id, ending.at);
    return;
  }
  // Whoever saved before persons were known ends as a person whom nobody can prove to be.
  const id = newId("person", services.randomBytes);
  await tables.persons.insert({
    id,
    buildId,
    identity: null,
    recoveryHash: services.tokens.make("recovery", buildId).hash,
    allows: [],
    createdAt: ending.at,
    endedAt: ending.at,
    ending,
  });
  await tables.userKeys.claim(buildId, id);
}

async function cancelMoves(
  services: Services,
  tables: Tables,
  buildId: string,
  actor: Actor,
  requestId: string | undefined,
): Promise<readonly ClaimedJob[]> {
  return cancelRows(services, tables, await tables.transfers.listByBuild(buildId), actor, requestId);
}
