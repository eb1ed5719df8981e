import type { LibsqlServer, NamespaceStats } from "@keyloan/local-servers";
import type { EmulatedDatabase } from "./emulator-databases.ts";

const usesMax = 100;

/**
 * Tells how much was read and written when. The server counts from a database's making and tells no times: what it
 * counted more than the last time is taken for used when the database was last used. Asking for it is no use.
 */
export function createUsageMeter(
  server: LibsqlServer,
  save: (name: string) => Promise<void>,
  now: () => number,
) {
  const lastUses = new Map<string, number>();
  return {
    /** A database is being used now. */
    note: (name: string) => void lastUses.set(name, now()),
    usage: async (
      name: string,
      database: EmulatedDatabase,
      from: number,
      to: number,
    ): Promise<NamespaceStats> => {
      const { storageBytes, ...rows } = await server.admin.stats(database.namespace);
      const last = database.uses.at(-1);
      if (last?.rowsRead !== rows.rowsRead || last.rowsWritten !== rows.rowsWritten) {
        const use = { at: lastUses.get(name) ?? now(), ...rows };
        database.uses = [...database.uses.slice(1 - usesMax), use];
        await save(name);
      }
      const [before, until] = [countedUntil(database, from), countedUntil(database, to + 1)];
      const rowsRead = until.rowsRead - before.rowsRead;
      return { rowsRead, rowsWritten: until.rowsWritten - before.rowsWritten, storageBytes };
    },
  };
}

const countedUntil = ({ uses }: EmulatedDatabase, time: number) =>
  uses.findLast(({ at }) => at < time) ?? { rowsRead: 0, rowsWritten: 0 };
