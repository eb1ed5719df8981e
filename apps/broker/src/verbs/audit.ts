import { type Actor, actorLabel, BrokerError, newId } from "@keyloan/contract";
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

/** The row of an audit entry. Write it in the transaction of the change it tells of. */
export function auditRow(deps: Pick<Deps, "now" | "randomBytes">, entry: AuditEntry): NewAuditEvent {
  return {
    id: newId("auditEvent", deps.randomBytes),
    at: deps.now(),
    actor: actorLabel(entry.actor),
    action: entry.action,
    entity: entry.entity,
    details: JSON.stringify(entry.details),
    requestId: entry.requestId ?? null,
  };
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
