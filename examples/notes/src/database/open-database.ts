import { fileURLToPath } from "node:url";
import { createClient } from "@libsql/client";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";
import type { Env } from "../env.ts";

const callTimeoutMs = 15_000;
const migrationsFolder = fileURLToPath(new URL("../../migrations", import.meta.url));

/** Connects and brings the tables up to date. Running it again changes nothing. */
export async function openDatabase(settings: Env["database"]) {
  const client = createClient({ ...settings, fetch: fetchWithTimeout });
  const db = drizzle({ client });
  try {
    await migrate(db, { migrationsFolder });
  } catch (error) {
    client.close();
    throw error;
  }
  return {
    db,
    /** Throws when the database does not answer a query. */
    check: async (): Promise<void> => {
      await db.run(sql`select 1`);
    },
    close: () => client.close(),
  };
}

export type Database = Awaited<ReturnType<typeof openDatabase>>["db"];

function fetchWithTimeout(request: Request): Promise<Response> {
  return fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(callTimeoutMs)]) });
}
