import { join } from "node:path";
import { startLibsqlServer } from "@keyloan/local-servers";
import { createFaultQueue, type StartEmulator, type UserEnvKind } from "../kit/emulator.ts";
import { serveEmulator } from "../kit/emulator-app.ts";
import { openJournal } from "../kit/emulator-journal.ts";
import { openEmulatorState, randomText } from "../kit/emulator-state.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import { tursoApi } from "./emulator-api.ts";
import {
  type EmulatedDatabases,
  emulatedDatabaseSchema,
  openEmulatedDatabases,
} from "./emulator-databases.ts";
import { newOrganization, tursoStateSchema } from "./emulator-organization.ts";

/**
 * A stand-in for the Turso Platform API whose databases are namespaces of a real libSQL server, each
 * with a key of its own and a port of its own, as the answered `Hostname` says. Users' databases are such
 * namespaces too, in a group that the organization does not have.
 */
export const startEmulator: StartEmulator = async ({ stateDirectory, port, now = Date.now }) => {
  const state = await openEmulatorState(stateDirectory, "turso", tursoStateSchema, newOrganization);
  const journal = await openJournal(join(stateDirectory, "turso-databases.jsonl"), emulatedDatabaseSchema);
  const server = await startLibsqlServer({ dataDirectory: join(stateDirectory, "libsql") });
  const close = async () => {
    await server.close();
    await journal.close();
  };
  try {
    const faults = createFaultQueue();
    const databases = await openEmulatedDatabases(server, journal, now);
    const accounts = { list: () => [state.value] as const, save: state.save };
    const listening = await serveEmulator(createStandInApp(tursoApi(databases), accounts, faults, now), port);
    const { organization, groups, tokens } = state.value;
    return {
      ...listening,
      faults,
      ended: server.exited,
      ...(server.walled ? {} : { notice: noWall }),
      createUserEnv: ({ kind = "good" } = {}) => createUserEnv(databases, kind),
      orgFields: { organization, group: groups[0]?.name ?? "", token: tokens[0]?.token ?? "" },
      close: async () => {
        await listening.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** What a user types of a database of their own: its URL, and a token for it without an end. */
async function createUserEnv(databases: EmulatedDatabases, kind: UserEnvKind) {
  if (kind === "limited" || kind === "wide") throw new Error(`Turso has no ${kind} database tokens`);
  const add = async () => {
    const name = `user-${randomText(16).toLowerCase()}`;
    await databases.create(name, "users");
    const made = await databases.find(name);
    if (made === undefined) throw new Error("the user's database was not made");
    return made;
  };
  const own = await add();
  const opened = kind === "wrong-pair" ? await add() : own;
  return {
    TURSO_DATABASE_URL: `http://127.0.0.1:${own.port}`,
    TURSO_AUTH_TOKEN: await databases.mint(opened, kind === "read-only" ? "read-only" : "read-write"),
  };
}

const noWall =
  "This system lets the database server see your files: only the check of its SQL keeps builds from them.";
