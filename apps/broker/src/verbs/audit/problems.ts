import { type AuditProblem, type AuditProblemKind, BrokerError } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";

const messages: Readonly<Record<AuditProblemKind, string>> = {
  edited: "this row says something else than was written",
  removed: "a row that stood here is gone",
  reordered: "this row stands in another place than it was written to",
  forked: "this row and one before it both follow the same row",
  head_mismatch: "the chain was written anew: this row is not the one that was signed",
  heads_missing: "fewer signed heads stand than were signed",
  signature: "the signed head for this row was not signed by this broker, or was changed",
  count: "the sealed count of signed heads is gone or was changed",
  signing_key: "a signing key in the store was not made by this broker, or was changed",
  shape: "the store's file is not built as this broker builds it",
  out_of_chain: "rows stand in the audit that this broker did not write",
  head_overdue: "this row and those after it are under no signed head, and none can be signed",
};

/** @param what names the thing, where the row does not */
export function auditProblem(kind: AuditProblemKind, sequence: number, what?: string): AuditProblem {
  return { kind, sequence, message: what === undefined ? messages[kind] : `${messages[kind]}: ${what}` };
}

/** What the store's file is built of otherwise than this broker builds it. @throws StoreError */
export async function findShapeProblem({ store }: Pick<Deps, "store">): Promise<AuditProblem | undefined> {
  const difference = await store.findShapeDifference();
  return difference === undefined ? undefined : auditProblem("shape", 0, difference);
}

/** What is wrong with the rows that signing keys are in. */
export function findKeyProblem(keys: {
  readonly refused: readonly string[];
  readonly isCut: boolean;
}): AuditProblem | undefined {
  if (keys.isCut)
    return auditProblem("signing_key", 0, `far more rows than a broker makes, ${namesOf(keys.refused)}`);
  return keys.refused.length > 0 ? auditProblem("signing_key", 0, namesOf(keys.refused)) : undefined;
}

/** The ids of refused signing keys, short enough to be told whatever somebody wrote there. */
export function namesOf(ids: readonly string[]): string {
  const shown = ids.slice(0, 5).map((id) => id.slice(0, 64));
  return shown.join(", ") + (ids.length > shown.length ? `, and ${ids.length - shown.length} more` : "");
}

/** Why nothing new is handed out. */
export function auditDegraded({ message }: AuditProblem): BrokerError {
  return new BrokerError("audit_degraded", `the store is not what was signed (${message})`, {
    remedy:
      "Ask the operator: `keyloan audit verify` tells what is wrong. When the store was put back from a backup on purpose, `keyloan audit accept-head` goes on from it.",
  });
}
