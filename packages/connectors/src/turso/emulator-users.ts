import type { UserEnvKind } from "../kit/emulator.ts";
import { randomText } from "../kit/emulator-state.ts";
import type { EmulatedDatabases } from "./emulator-databases.ts";
import type { EmulatedDatabase } from "./emulator-state.ts";

/**
 * What a user types of a database of their own, as they made it in the dashboard: its URL, and a token for it
 * without an end.
 */
export async function createUserDatabase(
  databases: EmulatedDatabases,
  kind: UserEnvKind,
): Promise<Record<string, string>> {
  if (kind !== "good" && kind !== "read-only" && kind !== "wrong-pair") {
    throw new Error(`Turso has no ${kind} database tokens`);
  }
  const own = await makeDatabase(databases);
  const opened = kind === "wrong-pair" ? await makeDatabase(databases) : own;
  return {
    TURSO_DATABASE_URL: `http://127.0.0.1:${own.port}`,
    TURSO_AUTH_TOKEN: await databases.mint(opened, kind === "read-only" ? "read-only" : "read-write"),
  };
}

async function makeDatabase(databases: EmulatedDatabases): Promise<EmulatedDatabase> {
  const name = `user-${randomText(16).toLowerCase()}`;
  await databases.create(name, "default");
  const made = await databases.find(name);
  if (made === undefined) throw new Error("the user's database was not made");
  return made;
}
