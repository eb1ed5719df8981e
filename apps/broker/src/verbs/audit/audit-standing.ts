import type { AuditHeadPayload, AuditProblem } from "@keyloan/contract";
import type { AuditHeadRow } from "@keyloan/store";
import { holdsAllHeads, type ReadState, readAuditState } from "../../audit-state.ts";
import type { Deps } from "../../deps.ts";
import type { KnownKeys } from "../../signing.ts";
import { judgeHead, readStoredHead } from "./judge-head.ts";
import { auditDegraded, auditProblem, namesOf } from "./problems.ts";

export type StandingDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "signer" | "outsideHeads">;

/**
 * What shows without reading the whole audit that the store is not what was signed: a refused signing key, a count
 * that is gone, heads or rows that it misses, or a head from outside that it does not hold. `undefined` when nothing
 * does.
 * @throws StoreError, or VaultError when the org's data key does not open
 */
export async function findStandingProblem(deps: StandingDeps): Promise<AuditProblem | undefined> {
  const keys = await deps.signer.readKeys();
  if (keys.refused.length > 0) return auditProblem("signing_key", 0, namesOf(keys.refused));
  const { read, newest } = await readEnd(deps);
  if (read === undefined) return auditProblem("count", 0);
  const problem = await problemOfEnd(deps, keys, read, newest);
  if (problem !== undefined) return problem;
  for (const head of deps.outsideHeads.known()) {
    const judged = await judgeHead(deps, keys, read.state, head);
    if (judged.kind === "problem") return judged.problem;
  }
  return undefined;
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
    if (row.hash !== newest.hash) return auditProblem("head_mismatch", at);
  }
  const counter = head?.counter ?? 0;
  if (holdsAllHeads(state, counter)) return undefined;
  return auditProblem("heads_missing", (newest?.sequence ?? 0) + 1, `${counter} of ${state.heads}`);
}

/** The count and the newest head of one moment: another broker may sign one in between. */
async function readEnd(deps: StandingDeps) {
  for (let read = await readAuditState(deps); ; ) {
    const newest = await deps.store.read.auditHeads.findLatest();
    const again = await readAuditState(deps);
    if (again?.text === read?.text) return { read, newest };
    read = again;
  }
}
