import { createHash } from "node:crypto";
import { type Actor, actorLabel, BrokerError, isId, newId } from "@keyloan/contract";
import type { NewAuditEvent, Tables } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import { describeError } from "../observe/logger.ts";
import { storeRetrySeconds, storeTrouble } from "../store-trouble.ts";

export type AuditEntry = {
  readonly actor: Actor;
  /** `entity.verb` */
  readonly action: string;
  /** The id of what it happened to. */
  readonly entity: string;
  /** Names, ids and numbers; never a value of a credential. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId?: string | undefined;
};

/**
 * The row of an audit entry. Write it in the transaction of the change it tells of. What the client calls its
 * request stands beside our own id and never instead.
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
    details: JSON.stringify(
      clientRequestId === undefined ? entry.details : { ...entry.details, clientRequestId },
    ),
    requestId: entry.requestId ?? null,
  };
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

/**
 * Writes the entry of something that is handed out, and resolves when it is on disk.
 * @param along what is written with it, all or nothing; absent for the quick path of an entry alone
 * @throws BrokerError `unavailable` when it cannot be written: what is not audited is not answered; and what `along`
 * throws
 */
export async function writeAudit(
  deps: Pick<Deps, "store" | "now" | "randomBytes" | "logger" | "metrics" | "auditWatch">,
  entry: AuditEntry,
  along?: (tables: Tables) => Promise<void>,
): Promise<void> {
  const row = auditRow(deps, entry);
  try {
    if (along === undefined) return await deps.store.appendAudit([row]);
    await deps.store.write(async (tables) => {
      await along(tables);
      await tables.auditEvents.insertAll([row]);
    });
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
          "Ask the operator to look at /health/ready; free disk space or file permissions are the usual cause.",
        retryAfterSeconds: storeRetrySeconds,
        cause: error,
      },
    );
  }
}
