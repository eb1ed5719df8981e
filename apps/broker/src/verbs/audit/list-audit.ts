import { type AuditEventView, type AuditList, BrokerError, nestsDeeperThan } from "@keyloan/contract";
import { type AuditEventRow, type AuditSeal, isGenuine } from "@keyloan/store";
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
    events: page.map((row) => viewOf(row, deps.store.auditSeal())),
    ...(rows.length > query.limit && last !== undefined ? { nextCursor: encodeCursor([last.sequence]) } : {}),
  };
}

/** Rows keep the words of their time, for they are hashed: an action is found by the present word and the one before. */
const renamedActions = [["job.needs_hands", "job.requires_action"]] as const;

function wordsOf(action: string): readonly string[] {
  return renamedActions.find((words) => words.some((word) => word === action)) ?? [action];
}

function viewOf(row: AuditEventRow, seal: AuditSeal | undefined): AuditEventView {
  const { id, at, actor, action, entity, details, requestId } = row;
  return {
    id,
    at: isoTime(at),
    actor,
    action,
    entity,
    details: parseDetails(details),
    ...(requestId === null ? {} : { requestId }),
    ...(isGenuine(row, seal) ? {} : { altered: true }),
  };
}

const detailsDepthMax = 32;

/** What the details column holds: an object, as `auditRow` writes it; an empty one for what somebody else wrote. */
export function parseDetails(text: string): Record<string, unknown> {
  try {
    const value: unknown = nestsDeeperThan(text, detailsDepthMax) ? {} : JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function decodeSequence(text: string): number {
  const [sequence] = decodeCursor(text);
  if (typeof sequence === "number") return sequence;
  throw new BrokerError("invalid_input", "this cursor is not valid", {
    remedy: "Start again without a cursor.",
  });
}
