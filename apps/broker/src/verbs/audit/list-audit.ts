import { type AuditList, BrokerError } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";

/** A page of the audit trail, newest first. */
export async function listAudit(
  deps: Pick<Deps, "store">,
  query: {
    readonly cursor?: string | undefined;
    readonly limit: number;
    readonly entity?: string | undefined;
    readonly action?: string | undefined;
  },
): Promise<AuditList> {
  const rows = await deps.store.read.auditEvents.list({
    ...(query.cursor === undefined ? {} : { before: decodeSequence(query.cursor) }),
    ...(query.entity === undefined ? {} : { entity: query.entity }),
    ...(query.action === undefined ? {} : { actions: wordsOf(query.action) }),
    limit: query.limit + 1,
  });
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    events: page.map(({ sequence: _sequence, at, details, requestId, ...event }) => ({
      ...event,
      at: isoTime(at),
      details: parseDetails(details),
      ...(requestId === null ? {} : { requestId }),
    })),
    ...(rows.length > query.limit && last !== undefined ? { nextCursor: encodeCursor([last.sequence]) } : {}),
  };
}

/** Rows keep the words of their time, for they are hashed: an action is found by the present word and the one before. */
const renamedActions = [["job.needs_hands", "job.requires_action"]] as const;

function wordsOf(action: string): readonly string[] {
  return renamedActions.find((words) => words.some((word) => word === action)) ?? [action];
}

/** What the details column holds: an object, as `auditRow` writes it. */
export function parseDetails(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function decodeSequence(text: string): number {
  const [sequence] = decodeCursor(text);
  if (typeof sequence === "number") return sequence;
  throw new BrokerError("invalid_input", "the cursor is not one of ours", {
    remedy: "Start again without a cursor.",
  });
}
