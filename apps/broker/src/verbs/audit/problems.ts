import { type AuditProblem, type AuditProblemKind, BrokerError } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";

const messages: Readonly<Record<AuditProblemKind, string>> = {
  edited: "this row differs from what was written",
  removed: "a row is missing here",
  reordered: "this row is in another place than where it was written",
  forked: "this row and an earlier one both follow the same row",
  head_mismatch: "the chain was rewritten: this row is not the one that was signed",
  heads_missing: "there are fewer signed heads than were signed",
  signature: "the signed head for this row was not signed by this broker, or was changed",
  count: "the sealed count of signed heads is missing or was changed",
  signing_key: "a signing key in the store was not made by this broker, or was changed",
  shape: "the store's file does not have the structure that this broker makes",
  out_of_chain: "the audit contains rows that this broker did not write",
  head_overdue: "this row and those after it are not covered by a signed head, and none can be signed",
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
  return new BrokerError("audit_degraded", `the store differs from what was signed (${message})`, {
    remedy:
      "Ask the operator: `keyloan audit verify` shows what is wrong. If the store was restored from a backup on purpose, `keyloan audit accept-head` continues from it.",
  });
}
