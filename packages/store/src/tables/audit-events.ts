import { and, desc, eq, lt, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { auditEvents } from "./schema.ts";

export type AuditEventRow = typeof auditEvents.$inferSelect;
export type NewAuditEvent = Omit<AuditEventRow, "sequence" | "previousHash" | "hash">;

const rowsMax = 64;
const columns = ["id", "at", "actor", "action", "entity", "details", "requestId"] as const;

export function auditEventsTable(database: Database) {
  // One prepared statement per row count: building a statement costs more than running it.
  const inserts = new Map<number, ReturnType<typeof prepareInsert>>();
  const prepareInsert = (count: number) =>
    database
      .insert(auditEvents)
      .values(
        Array.from({ length: count }, (_, row) => ({
          id: sql.placeholder(`id${row}`),
          at: sql.placeholder(`at${row}`),
          actor: sql.placeholder(`actor${row}`),
          action: sql.placeholder(`action${row}`),
          entity: sql.placeholder(`entity${row}`),
          details: sql.placeholder(`details${row}`),
          requestId: sql.placeholder(`requestId${row}`),
        })),
      )
      .prepare();
  const insertSome = async (rows: readonly NewAuditEvent[]): Promise<void> => {
    const statement = inserts.get(rows.length) ?? prepareInsert(rows.length);
    inserts.set(rows.length, statement);
    const values: Record<string, unknown> = {};
    for (const [index, row] of rows.entries()) {
      for (const column of columns) values[column + index] = row[column];
    }
    await statement.run(values);
  };
  return {
    insertAll: async (rows: readonly NewAuditEvent[]): Promise<void> => {
      for (let start = 0; start < rows.length; start += rowsMax)
        await insertSome(rows.slice(start, start + rowsMax));
    },
    /** Newest first. */
    list: (filter: {
      before?: number;
      entity?: string;
      action?: string;
      limit: number;
    }): Promise<AuditEventRow[]> =>
      database
        .select()
        .from(auditEvents)
        .where(
          and(
            filter.before === undefined ? undefined : lt(auditEvents.sequence, filter.before),
            filter.entity === undefined ? undefined : eq(auditEvents.entity, filter.entity),
            filter.action === undefined ? undefined : eq(auditEvents.action, filter.action),
          ),
        )
        .orderBy(desc(auditEvents.sequence))
        .limit(filter.limit),
  };
}
