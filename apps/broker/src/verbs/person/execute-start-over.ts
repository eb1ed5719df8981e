import { type Actor, newId } from "@keyloan/contract";
import type { ClaimedJob, StartOverRow, StoredEnding, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { cancelRows } from "../transfers/cancel-transfer.ts";
import { tellStartOver } from "./tell-start-over.ts";

const pageMax = 100;

/**
 * Does every start over whose time to be refused is over.
 * @returns how many this call has done
 */
export async function sweepStartOvers(deps: Deps, signal?: AbortSignal): Promise<number> {
  const actor = { kind: "system", part: "start-over" } as const;
  let done = 0;
  for (const row of await deps.store.read.startOvers.listDue(deps.now(), pageMax)) {
    if (signal?.aborted === true) break;
    if (await executeStartOver(deps, row, actor)) done += 1;
  }
  return done;
}

/**
 * Ends the person of a build with every proof of theirs, and what they saved. What the app uses stays in use, and
 * nobody reads it, until it is replaced. A move of data under way is cancelled: its key goes when it is undone.
 * @returns false when it was refused, withdrawn or done meanwhile
 */
export async function executeStartOver(
  deps: Deps,
  row: StartOverRow,
  actor: Actor,
  requestId?: string,
): Promise<boolean> {
  const jobs = await deps.store.write((tables) => startOverIn(deps, tables, row, actor, requestId));
  if (jobs === undefined) return false;
  void deps.runner.run(row.buildId, [...jobs]);
  return true;
}

/**
 * The same in a transaction that is under way.
 * @returns jobs that this process holds and has to run; `undefined` when there is nothing to do any more
 */
export async function startOverIn(
  deps: Deps,
  tables: Tables,
  row: StartOverRow,
  actor: Actor,
  requestId: string | undefined,
): Promise<readonly ClaimedJob[] | undefined> {
  const { buildId } = row;
  const now = deps.now();
  if (!(await tables.startOvers.end(row.id, "done", now))) return undefined;
  const ending = { at: now, ...(row.address === null ? {} : { address: row.address }) };
  await endPerson(deps, tables, buildId, ending);
  const undoing = await cancelMoves(deps, tables, buildId, actor, requestId);
  await tables.userKeys.removeLeftBehind(buildId);
  const build = await tables.builds.find(buildId);
  if (build !== undefined) await tables.builds.changeSettings(buildId, build.settingsVersion);
  await tellStartOver(deps, tables, row, "done", actor, requestId);
  return undoing;
}

async function endPerson(deps: Deps, tables: Tables, buildId: string, ending: StoredEnding): Promise<void> {
  const person = await tables.persons.findByBuild(buildId);
  if (person !== undefined) {
    await tables.persons.end(buildId, ending.at, ending);
    await tables.sessions.endByPerson(person.id, ending.at);
    return;
  }
  // Whoever saved before persons were known ends as a person whom nobody can prove to be.
  const id = newId("person", deps.randomBytes);
  await tables.persons.insert({
    id,
    buildId,
    identity: null,
    recoveryHash: deps.tokens.make("recovery", buildId).hash,
    allows: [],
    createdAt: ending.at,
    endedAt: ending.at,
    ending,
  });
  await tables.userKeys.claim(buildId, id);
}

async function cancelMoves(
  deps: Deps,
  tables: Tables,
  buildId: string,
  actor: Actor,
  requestId: string | undefined,
): Promise<readonly ClaimedJob[]> {
  return cancelRows(deps, tables, await tables.transfers.listByBuild(buildId), actor, requestId);
}
