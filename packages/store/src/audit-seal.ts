import { hashRow } from "./audit-chain.ts";
import { isSameMac } from "./same-mac.ts";
import type { AuditEventRow } from "./tables/audit-events.ts";

/** How rows of the audit are proven to be the broker's own: whoever writes to the store cannot make a MAC. */
export type AuditSeal = {
  /** The MAC of a row, by its hash: that holds the whole row and all before it. */
  readonly macOf: (hash: string) => string;
  /** The first row that has one. */
  readonly from: number;
};

/** Asked for each time: a store is opened before its keys are. */
export type FindAuditSeal = () => AuditSeal | undefined;

type Genuine = AuditEventRow & { readonly hash: string; readonly previousHash: string };

/** Whether a row says what was written when it was hashed. */
export function isWhole(row: AuditEventRow): row is Genuine {
  const { hash, previousHash } = row;
  return hash !== null && previousHash !== null && hashRow({ ...row, previousHash }) === hash;
}

/** Whether the row has the MAC that it must have. */
export function isSealed({ sequence, hash, mac }: AuditEventRow, seal: AuditSeal | undefined): boolean {
  if (seal === undefined || sequence < seal.from) return true;
  return hash !== null && isSameMac(mac, seal.macOf(hash));
}

/** Whether a broker of this store wrote the row as it stands, and all before it as they stood then. */
export function isGenuine(row: AuditEventRow, seal: AuditSeal | undefined): row is Genuine {
  return isWhole(row) && isSealed(row, seal);
}
