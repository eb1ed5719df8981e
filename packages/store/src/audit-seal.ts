import { hashRow } from "./audit-chain.ts";
import { isSameMac } from "./same-mac.ts";
import type { AuditEventRow } from "./tables/audit-events.ts";

/** Proves that the broker wrote the rows of the audit: somebody who can only write to the store cannot make a MAC. */
export type AuditSeal = {
  /** The MAC of a row, computed from its hash, which covers the row and all rows before it. */
  readonly macOf: (hash: string) => string;
  /** The number of the first row that has a MAC. */
  readonly from: number;
};

/** Called each time the seal is needed, because a store is opened before its keys are. */
export type FindAuditSeal = () => AuditSeal | undefined;

type Genuine = AuditEventRow & { readonly hash: string; readonly previousHash: string };

/** Whether a row's content still is what its hash was computed from. */
export function isWhole(row: AuditEventRow): row is Genuine {
  const { hash, previousHash } = row;
  return hash !== null && previousHash !== null && hashRow({ ...row, previousHash }) === hash;
}

/** Whether the row has the right MAC, if it must have one. */
export function isSealed({ sequence, hash, mac }: AuditEventRow, seal: AuditSeal | undefined): boolean {
  if (seal === undefined || sequence < seal.from) return true;
  return hash !== null && isSameMac(mac, seal.macOf(hash));
}

/** Whether a broker of this store wrote exactly this row, after exactly the rows before it that its hash covers. */
export function isGenuine(row: AuditEventRow, seal: AuditSeal | undefined): row is Genuine {
  return isWhole(row) && isSealed(row, seal);
}
