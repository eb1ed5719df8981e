import { and, eq, lte, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { schedules } from "./schema.ts";

/** How far the clocks of brokers on one store may differ, and how old the `now` of a write that waited may be. */
const clockToleranceMs = 600_000;

/** The name of the row that holds the time at which a broker last noted its clock. */
const clockName = "clock";

export function schedulesTable(database: Database) {
  return {
    /**
     * Whether the named work is due and the caller must do it: of many brokers that ask, one gets true in each
     * `everyMs`. After a clock was set back, nothing waits longer than twice that.
     */
    take: async (name: string, now: number, everyMs: number): Promise<boolean> => {
      const dueAt = now + everyMs;
      const made = await database.insert(schedules).values({ name, dueAt }).onConflictDoNothing();
      if (made.rowsAffected === 1) return true;
      // A due time this late can only come from a clock that has been set back since.
      const tooLate = dueAt + Math.min(everyMs, clockToleranceMs);
      const due = sql`(${lte(schedules.dueAt, now)} or ${schedules.dueAt} > ${tooLate})`;
      const taken = await database
        .update(schedules)
        .set({ dueAt })
        .where(and(eq(schedules.name, name), due));
      return taken.rowsAffected === 1;
    },
    /**
     * Notes the time, and returns by how much the clock has been set back since it was last noted; of many brokers that
     * ask, only one learns of it. Clocks that differ by at most the tolerance count as one clock.
     * @returns milliseconds, 0 if the clock was not set back
     */
    noteClock: async (now: number, toleranceMs: number): Promise<number> => {
      const isClock = eq(schedules.name, clockName);
      const last = await database.select().from(schedules).where(isClock).get();
      if (last === undefined) {
        await database.insert(schedules).values({ name: clockName, dueAt: now });
        return 0;
      }
      const setBackMs = last.dueAt - now;
      if (setBackMs > 0 && setBackMs <= toleranceMs) return 0;
      await database.update(schedules).set({ dueAt: now }).where(isClock);
      return Math.max(0, setBackMs);
    },
  };
}
