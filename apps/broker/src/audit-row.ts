import { createHash } from "node:crypto";
import { type Actor, actorLabel, BrokerError, isId, newId } from "@keyloan/contract";
import { detailsBytesMax, type NewAuditEvent } from "@keyloan/store";
import type { Deps } from "./deps.ts";
import { describeError } from "./observe/logger.ts";
import { storeRetrySeconds, storeTrouble } from "./store-trouble.ts";

/** Who does something, and in which request. */
export type By = { readonly actor: Actor; readonly requestId?: string | undefined };

/** Names, ids and numbers; never a value of a credential. */
export type Details = Readonly<Record<string, unknown>>;

export type AuditEntry = By & {
  /** `entity.verb` */
  readonly action: string;
  /** The id of what it happened to. */
  readonly entity: string;
  readonly details: Details;
};

/**
 * The row of an audit entry. What the client calls its request stands beside our own id and never instead. A change
 * writes it with `tx.audit`.
 */
export function auditRow(
  deps: Pick<Deps, "now" | "randomBytes"> & Partial<Pick<Deps, "auditWatch">>,
  entry: AuditEntry,
): NewAuditEvent {
  const clientRequestId =
    entry.requestId === undefined ? undefined : deps.auditWatch?.clientRequestId(entry.requestId);
  return {
    id: newId("auditEvent", deps.randomBytes),
    at: deps.now(),
    actor: actorLabel(entry.actor),
    action: entry.action,
    entity: writableEntity(entry.entity),
    details: writableDetails(
      clientRequestId === undefined ? entry.details : { ...entry.details, clientRequestId },
    ),
    requestId: entry.requestId ?? null,
  };
}

/** Longer ones than are read of any row are not written: it would count as altered. */
function writableDetails(details: Details): string {
  const text = JSON.stringify(details);
  const bytes = Buffer.byteLength(text);
  return bytes <= detailsBytesMax ? text : JSON.stringify({ tooLong: bytes });
}

/** What is named in a path may be anything: it is written as it is only when it has the form of an id. */
export function entityOfInput(text: string): string {
  return isId(text) ? text : hashedEntity(text);
}

/** Ids, connectors and our own words; a text of another form is written as its hash. */
function writableEntity(entity: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$|^sha256:[0-9a-f]{32}$/.test(entity)
    ? entity
    : hashedEntity(entity);
}

function hashedEntity(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** Writes one entry that belongs to no change; resolves when it is on disk. @throws StoreError */
export function appendAudit(
  deps: Pick<Deps, "store" | "now" | "randomBytes" | "auditWatch">,
  entry: AuditEntry,
): Promise<void> {
  return deps.store.appendAudit([auditRow(deps, entry)]);
}

type RecordDeps = Pick<Deps, "store" | "now" | "randomBytes" | "logger" | "metrics" | "auditWatch">;

/**
 * Writes the entry of something that is handed out, and resolves when it is on disk.
 * @throws BrokerError as {@link beforeHandingOut} does
 */
export function recordAudit(deps: RecordDeps, entry: AuditEntry): Promise<void> {
  return beforeHandingOut(deps, () => appendAudit(deps, entry));
}

/**
 * Writes what must be on disk before something is handed out.
 * @throws BrokerError `unavailable` when it cannot be written: what is not audited is not answered; and what the writing
 * itself throws of that kind
 */
export async function beforeHandingOut<T>(
  deps: Pick<Deps, "logger" | "metrics" | "auditWatch">,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    deps.metrics.auditFailures.inc();
    deps.auditWatch.noteFailure();
    deps.logger.error(describeError(error), "the audit row could not be written");
    const trouble = storeTrouble(error);
    const why = trouble === undefined ? "" : ` (${trouble.reason})`;
    throw new BrokerError(
      "unavailable",
      `the audit trail cannot be written${why}, so nothing is handed out`,
      {
        remedy:
          trouble?.remedy ??
          "Ask the operator to look at /health/ready; a full disk or missing file permissions are the usual cause.",
        retryAfterSeconds: storeRetrySeconds,
        cause: error,
      },
    );
  }
}
