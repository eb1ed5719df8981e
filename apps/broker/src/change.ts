import { type Actor, actorLabel } from "@keyloan/contract";
import type { ClaimedJob, NewAuditEvent, Scope, Tables } from "@keyloan/store";
import { auditRow, type By, type Details } from "./audit-row.ts";
import { tokenRevoked } from "./auth/callers.ts";
import type { Deps } from "./deps.ts";
import { type Notice, noticeJob } from "./notify/notice.ts";
import { type NewJob, newHeldJob, newWaitingJob } from "./queue/new-job.ts";

/** The tables inside a change, and what is written with it, all or nothing. */
export type Unit = Tables & {
  readonly by: By;
  /** Writes down what happened to `entity`: names, ids and numbers, never a value of a credential. */
  readonly audit: (action: string, entity: string, details?: Details, actor?: Actor) => void;
  /** Says that a caller's unit has changed nothing that belongs in the audit, and gives the value back. */
  readonly unaudited: <T>(value: T) => T;
  /**
   * Adds work that outlives the change. This process starts it after the commit; with `runAfter`, in milliseconds since
   * the epoch, whichever broker has room takes it from then on.
   */
  readonly job: (job: NewJob, runAfter?: number) => ClaimedJob;
  /** Tells a person, at least once. */
  readonly notice: (notice: Notice) => void;
};

/**
 * Makes a change in one transaction, with its audit rows and its jobs, and starts those that this process holds.
 * @param scope the ids that the unit decides on: of two changes with one in common, one sees what the other has done
 * @throws BrokerError `unauthenticated` when the caller's token was revoked meanwhile; what the unit throws; Error when
 * a caller's unit neither audits anything nor says that there is nothing to audit
 */
export type Change = <T>(by: By, scope: Scope, unit: (tx: Unit) => Promise<T>) => Promise<T>;

type ChangeDeps = Pick<Deps, "store" | "now" | "randomBytes" | "workerId" | "auditWatch" | "runner">;

export function createChange(deps: ChangeDeps): Change {
  return async (by, scope, unit) => {
    let jobs: readonly ClaimedJob[] = [];
    const value = await deps.store.write(scope, async (tables) => {
      await refuseRevoked(tables, by.actor);
      const { tx, flush } = openUnit(deps, by, tables);
      const made = await unit(tx);
      jobs = await flush();
      return made;
    });
    startHeld(deps, jobs);
    return value;
  };
}

/** By a job, whatever request asked for it. */
export const byJob = ({ id: jobId }: Pick<ClaimedJob, "id">): By => ({ actor: { kind: "job", jobId } });

/** By the broker itself. */
export const bySystem = (part: string): By => ({ actor: { kind: "system", part } });

function openUnit(deps: ChangeDeps, by: By, tables: Tables) {
  const rows: NewAuditEvent[] = [];
  const jobs: ClaimedJob[] = [];
  let isUnaudited = false;
  let isOver = false;
  // What comes after the end would be written nowhere.
  const whileOpen = () => {
    if (isOver) throw new Error("this change is over");
  };
  const add = (job: ClaimedJob): ClaimedJob => {
    whileOpen();
    jobs.push(job);
    return job;
  };
  const own: Omit<Unit, keyof Tables> = {
    by,
    audit: (action, entity, details = {}, actor = by.actor) => {
      whileOpen();
      rows.push(auditRow(deps, { ...by, actor, action, entity, details }));
    },
    unaudited: (value) => {
      isUnaudited = true;
      return value;
    },
    job: (job, runAfter) =>
      add(runAfter === undefined ? newHeldJob(deps, job) : newWaitingJob(deps, job, runAfter)),
    notice: (notice) => void add(noticeJob(deps, notice)),
  };
  // The tables are made when they are first asked for: a copy would make all of them.
  const tx: Unit = Object.assign(Object.create(tables) as Tables, own);
  const flush = async (): Promise<readonly ClaimedJob[]> => {
    if (rows.length === 0 && !isUnaudited && isCaller(by.actor))
      throw new Error(`a change by ${actorLabel(by.actor)} has no audit row`);
    isOver = true;
    await tables.jobs.insertAll(jobs);
    await tables.auditEvents.insertAll(rows);
    return jobs;
  };
  return { tx, flush };
}

/** Whoever asks for something from outside; the broker keeps its own books without a row for each step. */
function isCaller({ kind }: Actor): boolean {
  return kind !== "job" && kind !== "system";
}

/** A token may have been revoked since its request began, by whoever found that it leaked. */
async function refuseRevoked(tables: Tables, actor: Actor): Promise<void> {
  if (actor.kind !== "platform" && actor.kind !== "workload") return;
  const token = await tables.tokens.find(actor.tokenId);
  if (token !== undefined && token.revokedAt === null) return;
  throw tokenRevoked();
}

function startHeld({ runner }: ChangeDeps, jobs: readonly ClaimedJob[]): void {
  const held = jobs.filter(({ lockedBy }) => lockedBy !== null);
  for (const [key, own] of Map.groupBy(held, ({ buildId, entityId }) => buildId ?? entityId)) {
    void runner.run(key, own);
  }
}
