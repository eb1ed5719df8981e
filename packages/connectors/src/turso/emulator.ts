import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { startLibsqlServer } from "@keyloan/local-servers";
import { createFaultQueue, type StartEmulator } from "../kit/emulator.ts";
import { serveEmulator } from "../kit/emulator-app.ts";
import { openJournal } from "../kit/emulator-journal.ts";
import { openEmulatorState, randomText } from "../kit/emulator-state.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import { tursoApi } from "./emulator-api.ts";
import { openEmulatedDatabases } from "./emulator-databases.ts";
import { emulatedDatabaseSchema, type TursoState, tursoStateSchema } from "./emulator-state.ts";
import { createUserDatabase } from "./emulator-users.ts";

/**
 * A stand-in for the Turso Platform API whose databases are namespaces of a real libSQL server, each
 * with a key of its own and a port of its own, as the answered `Hostname` says. Users' databases are such
 * namespaces too, in organizations that the API of this one does not show.
 */
export const startEmulator: StartEmulator = async ({ stateDirectory, port, now = Date.now }) => {
  const state = await openEmulatorState(stateDirectory, "turso", tursoStateSchema, initialState);
  const journal = await openJournal(join(stateDirectory, "turso-databases.jsonl"), emulatedDatabaseSchema);
  const userJournal = await openJournal(
    join(stateDirectory, "turso-user-databases.jsonl"),
    emulatedDatabaseSchema,
  );
  const server = await startLibsqlServer({ dataDirectory: join(stateDirectory, "libsql") });
  const close = async () => {
    await server.close();
    await Promise.all([journal.close(), userJournal.close()]);
  };
  try {
    const faults = createFaultQueue();
    const databases = await openEmulatedDatabases(server, journal, now);
    const userDatabases = await openEmulatedDatabases(server, userJournal, now);
    const accounts = { list: () => [state.value] as const, save: state.save };
    const listening = await serveEmulator(createStandInApp(tursoApi(databases), accounts, faults, now), port);
    const { organization, groups, tokens } = state.value;
    return {
      ...listening,
      faults,
      ended: server.exited,
      ...(server.walled ? {} : { notice: noWall }),
      createUserEnv: ({ kind = "good" } = {}) => createUserDatabase(userDatabases, kind),
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

const noWall =
  "This system lets the database server see your files: only the check of its SQL keeps builds from them.";

function initialState(): TursoState {
  const token = { id: randomUUID(), name: "keyloan", token: randomText(64), group: null, scopes: null };
  const groups = ["default", "other"].map((name) => ({ name, uuid: randomUUID() }));
  return { organization: "keyloan-dev", groups, tokens: [token] };
}
