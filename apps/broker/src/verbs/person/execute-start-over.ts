import { newId } from "@keyloan/contract";
import type { StartOverRow, StoredEnding, Tables } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { forEach } from "../../each.ts";
import { cancelRows } from "../transfers/cancel-transfer.ts";
import { tellStartOver } from "./tell-start-over.ts";

const pageMax = 100;

/**
 * Does every start over whose time to be refused is over.
 * @returns how many this call has done
 */
export async function sweepStartOvers(deps: Deps, signal?: AbortSignal): Promise<number> {
  let done = 0;
  const execute = async (row: StartOverRow) => {
    if (await executeStartOver(deps, row)) done += 1;
  };
  await forEach(await deps.store.read.startOvers.listDue(deps.now(), pageMax), execute, signal);
  return done;
}

/**
 * Ends the person of a build with every proof of theirs, and what they saved. What the app uses stays in use, and
 * nobody reads it, until it is replaced. A move of data under way is cancelled: its key goes when it is undone.
 * @returns false when it was refused, withdrawn or done meanwhile
 */
export function executeStartOver(deps: Deps, row: StartOverRow): Promise<boolean> {
  return deps.change(bySystem("start-over"), [row.buildId], (tx) => startOverIn(deps, tx, row));
}

/** The same in a change that is under way. */
export async function startOverIn(deps: Deps, tx: Unit, row: StartOverRow): Promise<boolean> {
  const { buildId } = row;
  const now = deps.now();
  if (!(await tx.startOvers.end(row.id, "done", now))) return false;
  const ending = { at: now, ...(row.address === null ? {} : { address: row.address }) };
  await endPerson(deps, tx, buildId, ending);
  await cancelRows(tx, await tx.transfers.listByBuild(buildId));
  await tx.userKeys.removeLeftBehind(buildId);
  const build = await tx.builds.find(buildId);
  if (build !== undefined) await tx.builds.changeSettings(buildId, build.settingsVersion);
  tellStartOver(tx, row, "done");
  return true;
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
