import { hash as digest } from "node:crypto";
import type { AuditEventRow, NewAuditEvent } from "./tables/audit-events.ts";

/** Where the chain ends: what the next row is hashed with. */
export type ChainEnd = { readonly sequence: number; readonly hash: string };

/** What the hash of a row is made of. */
export type ChainContent = Omit<AuditEventRow, "hash" | "previousHash" | "mac"> & {
  readonly previousHash: string;
};

const version = "keyloan/audit/v1";

/** Before the first row: 32 zero bytes. */
export const chainStart: ChainEnd = { sequence: 0, hash: "0".repeat(64) };

/**
 * SHA-256, hex, over the row and the hash before it. What is hashed is a JSON array of a version and of every
 * column in a fixed order: JSON tells text from number and null and ends every text, so no two rows read alike.
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

/** The rows as they are stored, each numbered and hashed after the one before it. */
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

// The engine would replace half a surrogate pair and end the text at a zero, and the hash would be another text's.
function storable(row: NewAuditEvent): NewAuditEvent {
  const { entity, details } = row;
  if (isStorable(entity) && isStorable(details)) return row;
  return { ...row, entity: toStorable(entity), details: toStorable(details) };
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes("\0");
const toStorable = (text: string) => text.toWellFormed().replaceAll("\0", "\ufffd");
