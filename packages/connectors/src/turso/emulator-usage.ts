import type { LibsqlServer, NamespaceStats } from "@keyloan/local-servers";
import type { Journal } from "../kit/emulator-journal.ts";
import type { EmulatedDatabase } from "./emulator-state.ts";

/** Tells how much was read and written when, from the server's own counts. */
export type UsageMeter = {
  /** A database is being used now. */
  readonly note: (name: string) => void;
  readonly usage: (
    name: string,
    database: EmulatedDatabase,
    from: number,
    to: number,
  ) => Promise<NamespaceStats>;
};

const usesMax = 100;
/** How much later than written down a use may have been, when the process was killed. */
const writtenEveryMs = 60_000;

/**
 * The server counts from a database's making and tells no times. So what it counted more than the last time is
 * taken for used when the database was last used; asking for it is no use.
 */
export function createUsageMeter(
  server: LibsqlServer,
  journal: Journal<EmulatedDatabase>,
  now: () => number,
): UsageMeter {
  const lastUses = new Map<string, number>();
  const written = new Map<string, number>();
  const take = async (name: string, database: EmulatedDatabase) => {
    const at = lastUses.get(name) ?? database.lastUseAt;
    const stats = await server.admin.stats(database.namespace);
    const { rowsRead, rowsWritten } = stats;
    const last = database.uses.at(-1);
    if (at === undefined || (last?.rowsRead === rowsRead && last.rowsWritten === rowsWritten)) return stats;
    database.uses.push({ at, rowsRead, rowsWritten });
    if (database.uses.length > usesMax) database.uses.splice(0, 1);
    await journal.write(name);
    return stats;
  };
  return {
    note: (name) => {
      const at = now();
      lastUses.set(name, at);
      const database = journal.records.get(name);
      if (database === undefined || Math.abs(at - (written.get(name) ?? 0)) < writtenEveryMs) return;
      written.set(name, at);
      database.lastUseAt = at;
      // A use that is not written down counts as of the one before it.
      journal.write(name).catch(() => undefined);
    },
    usage: async (name, database, from, to) => {
      const { storageBytes } = await take(name, database);
      const [before, until] = [countedUntil(database, from), countedUntil(database, to + 1)];
      return {
        rowsRead: until.rowsRead - before.rowsRead,
        rowsWritten: until.rowsWritten - before.rowsWritten,
        storageBytes,
      };
    },
  };
}

function countedUntil({ uses }: EmulatedDatabase, time: number) {
  return uses.findLast(({ at }) => at < time) ?? { rowsRead: 0, rowsWritten: 0 };
}
