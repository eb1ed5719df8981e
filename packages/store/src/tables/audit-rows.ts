import { and, gt, gte, lt, lte, or } from "drizzle-orm";
import type { AuditEventRow } from "./audit-events.ts";
import { cut } from "./cut.ts";
import { auditEvents } from "./schema.ts";

/** Whether a row has a possible number; no list shows other rows. */
export const isInChain = and(
  gte(auditEvents.sequence, 1),
  lte(auditEvents.sequence, Number.MAX_SAFE_INTEGER),
);
export const isStray = or(lt(auditEvents.sequence, 1), gt(auditEvents.sequence, Number.MAX_SAFE_INTEGER));

const textBytesMax = 1_000;
/** Longer details are not written, and longer ones in the store are not read. */
export const detailsBytesMax = 256 * 1024;
const timeMsMax = 8_640_000_000_000_000;

/** The columns of a row as they are read, whatever somebody has written there; {@link readRow} makes a row of them. */
export const rowColumns = {
  sequence: auditEvents.sequence,
  id: cut<unknown>(auditEvents.id, textBytesMax),
  at: cut<unknown>(auditEvents.at, textBytesMax),
  actor: cut<unknown>(auditEvents.actor, textBytesMax),
  action: cut<unknown>(auditEvents.action, textBytesMax),
  entity: cut<unknown>(auditEvents.entity, textBytesMax),
  details: cut<unknown>(auditEvents.details, detailsBytesMax),
  requestId: cut<unknown>(auditEvents.requestId, textBytesMax),
  previousHash: cut<unknown>(auditEvents.previousHash, textBytesMax),
  hash: cut<unknown>(auditEvents.hash, textBytesMax),
  mac: cut<unknown>(auditEvents.mac, textBytesMax),
};

type Read = { readonly sequence: number } & Readonly<
  Record<Exclude<keyof AuditEventRow, "sequence">, unknown>
>;

/** A row with values of the right types. A row that no broker can have written has no hash. */
export function readRow(read: Read): AuditEventRow {
  const texts = [read.id, read.actor, read.action, read.entity, read.details];
  const isPossible = texts.every((value) => typeof value === "string") && isTime(read.at);
  return {
    sequence: read.sequence,
    id: asText(read.id),
    at: isTime(read.at) ? read.at : 0,
    actor: asText(read.actor),
    action: asText(read.action),
    entity: asText(read.entity),
    details: asText(read.details),
    requestId: typeof read.requestId === "string" ? read.requestId : null,
    previousHash: asHash(read.previousHash),
    hash: isPossible ? asHash(read.hash) : null,
    mac: typeof read.mac === "string" ? read.mac : null,
  };
}

const asText = (value: unknown) => (typeof value === "string" ? value : "");
const isTime = (value: unknown): value is number =>
  Number.isInteger(value) && Math.abs(Number(value)) <= timeMsMax;

export const asHash = (value: unknown) =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? value : null;
