import { and, eq, lte, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { schedules } from "./schema.ts";

export function schedulesTable(database: Database) {
  return {
    /**
     * Whether the named work is due and the caller's to do: of many brokers that ask, one is told so in each
     * `everyMs`. A clock that was set back makes nothing wait longer than that.
     */
    take: async (name: string, now: number, everyMs: number): Promise<boolean> => {
      const dueAt = now + everyMs;
      const made = await database.insert(schedules).values({ name, dueAt }).onConflictDoNothing();
      if (made.rowsAffected === 1) return true;
      const due = sql`(${lte(schedules.dueAt, now)} or ${schedules.dueAt} > ${dueAt})`;
      const taken = await database
        .update(schedules)
        .set({ dueAt })
        .where(and(eq(schedules.name, name), due));
      return taken.rowsAffected === 1;
    },
  };
}
