import type { NewAuditEvent } from "@keyloan/store";
import { type AuditEntry, auditRow, recordAudit } from "./audit-row.ts";
import type { Deps } from "./deps.ts";
import { describeError } from "./observe/logger.ts";

type RefusalDeps = Pick<Deps, "store" | "now" | "randomBytes" | "logger" | "metrics" | "auditWatch">;

/** Audits refusals without letting whoever is refused fill the store. */
export type Refusals = {
  /**
   * Resolves when the refusal is on disk: the first of its kind writes its row; within a minute of it others are
   * counted, and the count is written at the minute's end.
   * @param kind who was refused what, and why
   * @param writeFirst how the first is written, when more than its row is
   * @throws BrokerError `unavailable` when the first cannot be written
   */
  readonly note: (kind: string, entry: AuditEntry, writeFirst?: () => Promise<unknown>) => Promise<void>;
  /** Writes the counts whose minute is over. */
  readonly writeDue: () => Promise<void>;
  /** Writes every count, at a stop. */
  readonly writeAll: () => Promise<void>;
};

type Counted = {
  readonly entry: AuditEntry;
  readonly since: number;
  readonly written: Promise<unknown>;
  repeats: number;
  sameEntity: boolean;
  lastRequestId: string | undefined;
};

const windowMs = 60_000;
/** Bounds the memory: when there are as many, the oldest count is written before its minute is over. */
const kindsMax = 5_000;

export function createRefusals(deps: RefusalDeps): Refusals {
  const counted = new Map<string, Counted>();
  let unwritten: NewAuditEvent[] = [];
  const isOver = ({ since }: Counted) => Math.abs(deps.now() - since) >= windowMs;
  /** Takes counts out; what was counted stands in rows from here on. */
  const end = (isEnded: (one: Counted) => boolean) => {
    for (const [kind, one] of counted) {
      if (!isEnded(one)) continue;
      counted.delete(kind);
      if (one.repeats > 0) unwritten.push(repeatsRow(deps, one));
    }
  };
  const writeEnded = async () => {
    const rows = unwritten;
    if (rows.length === 0) return;
    unwritten = [];
    try {
      await deps.store.appendAudit(rows);
    } catch (error) {
      // Tried again with the next; what a store that stays broken makes of them is bounded too.
      unwritten = [...rows, ...unwritten].slice(0, kindsMax);
      deps.logger.error(describeError(error), "counts of refusals could not be written");
    }
  };
  return {
    note: async (kind, entry, writeFirst = () => recordAudit(deps, entry)) => {
      const known = counted.get(kind);
      if (known !== undefined && !isOver(known)) {
        known.repeats += 1;
        known.sameEntity &&= known.entry.entity === entry.entity;
        known.lastRequestId = entry.requestId;
        await known.written;
        return;
      }
      end((one) => one === known || counted.size >= kindsMax);
      const written = writeFirst();
      const since = deps.now();
      counted.set(kind, { entry, since, written, repeats: 0, sameEntity: true, lastRequestId: undefined });
      try {
        await written;
      } catch (error) {
        counted.delete(kind);
        throw error;
      }
      await writeEnded();
    },
    writeDue: async () => {
      end(isOver);
      await writeEnded();
    },
    writeAll: async () => {
      end(() => true);
      await writeEnded();
    },
  };
}

/** The row that stands for all but the first. */
function repeatsRow(
  deps: RefusalDeps,
  { entry, since, repeats, sameEntity, lastRequestId }: Counted,
): NewAuditEvent {
  const details = {
    ...entry.details,
    repeats,
    since,
    firstRequestId: entry.requestId,
    ...(sameEntity ? {} : { otherEntities: true }),
  };
  return auditRow(deps, { ...entry, details, requestId: lastRequestId });
}
