import { hash as digest } from "node:crypto";
import type { AuditEventRow, NewAuditEvent } from "./tables/audit-events.ts";

/** The number and hash of the chain's last row; the hash goes into the hash of the next row. */
export type ChainEnd = { readonly sequence: number; readonly hash: string };

/** The content that a row's hash covers. */
export type ChainContent = Omit<AuditEventRow, "hash" | "previousHash" | "mac"> & {
  readonly previousHash: string;
};

const version = "keyloan/audit/v1";

/** The end of an empty chain; its hash is 32 zero bytes. */
export const chainStart: ChainEnd = { sequence: 0, hash: "0".repeat(64) };

/**
 * SHA-256, hex, over the row and the hash before it. The input is a JSON array of a version and the columns in a fixed
 * order: JSON distinguishes text, numbers and null and delimits every text, so no two rows give the same input.
 */
export function hashRow(row: ChainContent): string {
  return digest(
    "sha256",
    JSON.stringify([
      version,
      row.previousHash,
      row.sequence,
      row.id,
      row.at,
      row.actor,
      row.action,
      row.entity,
      row.details,
      row.requestId,
    ]),
    "hex",
  );
}

/** The rows as they are stored: each has the next number, and a hash that covers the row before it. */
export function chainRows(
  end: ChainEnd,
  rows: readonly NewAuditEvent[],
): (Omit<AuditEventRow, "mac"> & ChainEnd)[] {
  let { sequence, hash } = end;
  return rows.map((row) => {
    sequence += 1;
    const content = { ...storable(row), sequence, previousHash: hash };
    hash = hashRow(content);
    return { ...content, hash };
  });
}

// The engine replaces half a surrogate pair and cuts a text at a NUL; the hash would not fit the stored text.
function storable(row: NewAuditEvent): NewAuditEvent {
  const { entity, details } = row;
  if (isStorable(entity) && isStorable(details)) return row;
  return { ...row, entity: toStorable(entity), details: toStorable(details) };
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes("\0");
const toStorable = (text: string) => text.toWellFormed().replaceAll("\0", "\ufffd");
