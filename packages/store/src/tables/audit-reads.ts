import { and, asc, count, desc, eq, gt, gte, inArray, lt } from "drizzle-orm";
import type { ChainEnd } from "../audit-chain.ts";
import type { Database } from "../database.ts";
import type { AuditEventRow } from "./audit-events.ts";
import { asHash, isInChain, isStray, readRow, rowColumns } from "./audit-rows.ts";
import { auditEvents } from "./schema.ts";

/** Queries on the stored rows of the audit. */
export function auditReads(database: Database) {
  return {
    /** Oldest first. */
    pageAfter: async (sequence: number, limit: number): Promise<AuditEventRow[]> => {
      const rows = await database
        .select(rowColumns)
        .from(auditEvents)
        .where(and(isInChain, gt(auditEvents.sequence, sequence)))
        .orderBy(asc(auditEvents.sequence))
        .limit(limit);
      return rows.map(readRow);
    },
    /** Whether there are rows before the chain's first or after its last possible number, which no list shows. */
    hasStray: async (): Promise<boolean> => {
      const stray = await database
        .select({ sequence: auditEvents.sequence })
        .from(auditEvents)
        .where(isStray)
        .limit(1)
        .get();
      return stray !== undefined;
    },
    /** How often these actions happened to an entity since `since`, and the latest of them. */
    findActions: async (filter: {
      readonly entity: string;
      readonly actions: readonly string[];
      readonly since: number;
      readonly actor?: string | undefined;
      readonly limit: number;
    }): Promise<{ readonly count: number; readonly latest: readonly AuditEventRow[] }> => {
      const which = and(
        isInChain,
        eq(auditEvents.entity, filter.entity),
        inArray(auditEvents.action, [...filter.actions]),
        gte(auditEvents.at, filter.since),
        filter.actor === undefined ? undefined : eq(auditEvents.actor, filter.actor),
      );
      const counted = await database.select({ count: count() }).from(auditEvents).where(which).get();
      const latest = await database
        .select(rowColumns)
        .from(auditEvents)
        .where(which)
        .orderBy(desc(auditEvents.sequence))
        .limit(filter.limit);
      return { count: counted?.count ?? 0, latest: latest.map(readRow) };
    },
    /** Newest first. */
    list: async (filter: {
      before?: number;
      entity?: string;
      actions?: readonly string[];
      limit: number;
    }): Promise<AuditEventRow[]> => {
      const rows = await database
        .select(rowColumns)
        .from(auditEvents)
        .where(
          and(
            isInChain,
            filter.before === undefined ? undefined : lt(auditEvents.sequence, filter.before),
            filter.entity === undefined ? undefined : eq(auditEvents.entity, filter.entity),
            filter.actions === undefined ? undefined : inArray(auditEvents.action, [...filter.actions]),
          ),
        )
        .orderBy(desc(auditEvents.sequence))
        .limit(filter.limit);
      return rows.map(readRow);
    },
    /**
     * Checks the links of up to `limit` rows after `after`. `broken` is the first row that has no hash or does not hold
     * the hash of the row before it, `through` the last row before that.
     */
    findBrokenLink: async (
      after: ChainEnd,
      limit: number,
    ): Promise<{ readonly through: ChainEnd; readonly broken: number | undefined }> => {
      const rows = await database
        .select({
          sequence: auditEvents.sequence,
          previousHash: rowColumns.previousHash,
          hash: rowColumns.hash,
        })
        .from(auditEvents)
        .where(and(isInChain, gt(auditEvents.sequence, after.sequence)))
        .orderBy(asc(auditEvents.sequence))
        .limit(limit);
      let end = after;
      for (const { sequence, previousHash, hash } of rows) {
        const own = asHash(hash);
        if (own === null || previousHash !== end.hash) return { through: end, broken: sequence };
        end = { sequence, hash: own };
      }
      return { through: end, broken: undefined };
    },
  };
}
