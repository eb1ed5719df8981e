import type { AuditHeadPayload, AuditProblem } from "@keyloan/contract";
import { type AuditHeadRow, StoreError } from "@keyloan/store";
import { holdsAllHeads, type ReadState, readAuditState } from "../../audit-state.ts";
import { describeError } from "../../observe/logger.ts";
import type { KnownKeys } from "../../signing.ts";
import { findMissing, findTailProblem, missingProblem, problemOfRow } from "./audit-tail.ts";
import { judgeHead, readStoredHead } from "./judge-head.ts";
import { auditDegraded, auditProblem, findKeyProblem, findShapeProblem } from "./problems.ts";
import { signEnd } from "./sign-end.ts";

export type StandingDeps = Parameters<typeof signEnd>[0];

/** Heads are signed every minute, so an older one that rows stand after was kept from being followed. */
const headOverdueMs = 10 * 60_000;
const attemptsMax = 10;

/**
 * What shows without reading the whole audit that the store is not what was signed: a row of this process that is gone,
 * which nothing else tells and nothing may hide, a trigger or another thing that the migrations did not make, a refused
 * signing key, a count that is gone, heads or rows that it misses, a head from outside that it does not hold, or rows
 * that no head can be signed for. `undefined` when nothing does.
 * @throws StoreError, or VaultError when the org's data key does not open
 */
export async function findStandingProblem(deps: StandingDeps): Promise<AuditProblem | undefined> {
  const missing = missingProblem(await findMissing(deps));
  if (missing !== undefined) return missing;
  const shape = await findShapeProblem(deps);
  if (shape !== undefined) return shape;
  const keys = await deps.signer.readKeys();
  const keyProblem = findKeyProblem(keys);
  if (keyProblem !== undefined) return keyProblem;
  const { read, newest } = await readEnd(deps);
  if (read === undefined) return auditProblem("count", 0);
  const problem = await problemOfEnd(deps, keys, read, newest);
  if (problem !== undefined) return problem;
  if (await deps.store.read.auditEvents.hasStray()) return auditProblem("out_of_chain", 0);
  // Another broker of this store may have accepted what stands there.
  const seal = deps.store.auditSeal();
  if (seal !== undefined && read.state.macFrom !== undefined && seal.from !== read.state.macFrom)
    deps.store.sealAudit({ ...seal, from: read.state.macFrom });
  const tail = await findTailProblem(deps, newest);
  if (tail !== undefined) return tail;
  for (const head of deps.outsideHeads.known()) {
    const judged = await judgeHead(deps, keys, read.state, head);
    if (judged.kind === "problem") return judged.problem;
  }
  return findOverdueHead(deps, newest);
}

/**
 * Signs a head that is overdue, as after a pause of the machine. Only what keeps it from being signed is a problem: rows
 * without a head can be changed by whoever changes the store. The age is that of the newest head, which is signed.
 */
async function findOverdueHead(
  deps: StandingDeps,
  newest: AuditHeadRow | undefined,
): Promise<AuditProblem | undefined> {
  const [next] = await deps.store.read.auditEvents.pageAfter(newest?.sequence ?? 0, 1);
  if (next === undefined) return undefined;
  // While no broker ran, none was due. Before the first head a row's own time says nothing: anybody can write it.
  const since = Math.max(newest?.at ?? 0, deps.outsideHeads.since);
  if (deps.now() - since <= headOverdueMs) return undefined;
  try {
    if ((await signEnd(deps)) !== undefined) return undefined;
  } catch (error) {
    // A full disk or a lock is told as such, and keeps rows from being written, too.
    if (error instanceof StoreError && error.code !== "altered") return undefined;
    deps.logger.error(describeError(error), "an overdue head of the audit could not be signed");
  }
  return auditProblem("head_overdue", next.sequence);
}

/** Whether the store is not what was signed: an older copy, or one that somebody has written to. */
export async function isDegraded(deps: StandingDeps): Promise<boolean> {
  return (await findStandingProblem(deps)) !== undefined;
}

/**
 * For what hands out something new.
 * @throws BrokerError `audit_degraded` while the store is not what was signed
 */
export async function requireSoundAudit(deps: StandingDeps): Promise<void> {
  const problem = await findStandingProblem(deps);
  if (problem !== undefined) throw auditDegraded(problem);
}

async function problemOfEnd(
  deps: StandingDeps,
  keys: KnownKeys,
  { state }: ReadState,
  newest: AuditHeadRow | undefined,
): Promise<AuditProblem | undefined> {
  let head: AuditHeadPayload | undefined;
  if (newest !== undefined) {
    const last = (await deps.store.read.auditEvents.findLast())?.sequence ?? 0;
    const at = Math.min(newest.sequence, last + 1);
    head = await readStoredHead(keys, newest);
    if (head === undefined) return auditProblem("signature", at);
    const row = await deps.store.read.auditEvents.find(newest.sequence);
    if (row === undefined) return auditProblem("removed", at);
    if (row.hash !== newest.hash)
      return (
        (row.hash === null ? problemOfRow(row, undefined) : undefined) ?? auditProblem("head_mismatch", at)
      );
  }
  const counter = head?.counter ?? 0;
  if (holdsAllHeads(state, counter)) return undefined;
  return auditProblem("heads_missing", (newest?.sequence ?? 0) + 1, `${counter} of ${state.heads}`);
}

/** The count and the newest head of one moment: another broker may sign one in between. */
async function readEnd(deps: StandingDeps) {
  let read = await readAuditState(deps);
  for (let attempt = 1; ; attempt++) {
    const newest = await deps.store.read.auditHeads.findLatest();
    const again = await readAuditState(deps);
    if (again?.text === read?.text || attempt === attemptsMax) return { read, newest };
    read = again;
  }
}
