import type { DatabaseList, DatabaseView } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { CommandError, type Invocation, UsageError } from "./command.ts";
import { follow } from "./follow.ts";
import type { Io } from "./io.ts";
import { relativeTime } from "./moments.ts";
import { note, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { bytesText } from "./show-transfers.ts";
import { printTable } from "./table.ts";
import { wrap } from "./terminal-text.ts";
import { buildIdOf } from "./values.ts";

/** The build of a command on one database, and its connector: the second argument, or the only one there is. */
export async function databaseOf(
  { args }: Pick<Invocation, "args">,
  client: Client,
): Promise<{ readonly buildId: string; readonly connector: string }> {
  const named = args.text("build") === undefined ? args.positionals[1] : args.positionals[0];
  const buildId = buildIdOf(args.text("build") === undefined ? args : { ...args, positionals: [] });
  if (named !== undefined) return { buildId, connector: named };
  const { databases } = await client.databases.list(buildId);
  const [only, ...others] = databases;
  if (only === undefined) {
    const remedy = "See what it has with: keyloan build show";
    throw new CommandError("no_database", "This build has no database.", remedy);
  }
  if (others.length === 0) return { buildId, connector: only.connector };
  const ids = databases.map(({ connector }) => connector).join(", ");
  throw new UsageError(`This build has several databases: ${ids}.`, "Name one after the build.");
}

/** Prints the databases of a build and their archives. */
export function showDatabases(io: Io, json: boolean, list: DatabaseList): void {
  if (json) {
    printJson(io, list);
    return;
  }
  if (list.databases.length === 0) {
    note(io, "This build has no database.");
    return;
  }
  const now = io.now();
  const moment = (iso: string | undefined) => (iso === undefined ? "-" : relativeTime(iso, now));
  printTable<DatabaseView>(
    io,
    [
      { title: "CONNECTOR", value: ({ connector }) => connector },
      { title: "STATE", value: stateOf, isState: true },
      { title: "USED", value: ({ usedRows }) => (usedRows === undefined ? "-" : `${usedRows} rows`) },
      { title: "IDLE SINCE", value: ({ idleSince }) => moment(idleSince) },
      { title: "ARCHIVES AT", value: ({ archiveAt }) => moment(archiveAt) },
    ],
    list.databases,
  );
  const archives = list.databases.flatMap(({ connector, archives: own }) =>
    own.map((archive) => ({ connector, ...archive })),
  );
  if (archives.length > 0) {
    io.out("\n");
    printTable(
      io,
      [
        { title: "ARCHIVE", value: ({ id }) => id },
        { title: "OF", value: ({ connector }) => connector },
        { title: "STATE", value: ({ state }) => state, isState: true },
        { title: "MADE", value: ({ createdAt }) => relativeTime(createdAt, now) },
        { title: "HOLDS", value: ({ rows }) => (rows === undefined ? "-" : `${rows} rows`) },
        { title: "SIZE", value: ({ bytes }) => (bytes === undefined ? "-" : bytesText(bytes)) },
      ],
      archives,
    );
  }
  for (const { connector, error } of list.databases) {
    if (error === undefined) continue;
    io.out(`\n${wrap(`${connector}: ${error.message}. ${error.remedy}`, 78, "  ")}\n`);
  }
}

/** Follows what is done with a database until it is done; throws unless it then is in the wanted state. */
export async function followDatabase(
  { io, json }: Pick<Invocation, "io" | "json">,
  client: Client,
  target: { readonly buildId: string; readonly connector: string; readonly wanted: string },
  first: DatabaseList,
): Promise<number> {
  const { buildId, connector, wanted } = target;
  const find = (list: DatabaseList) => list.databases.find((each) => each.connector === connector);
  const last = await withProgress(io, json, `${connector} of ${buildId}`, (show) =>
    follow(io, show, {
      first,
      ask: () => client.databases.list(buildId),
      isAt: (list) => progressText(find(list)),
    }),
  );
  showDatabases(io, json, last);
  const database = find(last);
  if (database?.state === wanted) return 0;
  const { message, remedy } = database?.error ?? {
    message: `the database is ${database?.state ?? "gone"}`,
    remedy: "Look at the build with: keyloan build show",
  };
  throw new CommandError(`not_${wanted}`, `${connector}: ${message}.`, remedy);
}

function stateOf({ state, running }: DatabaseView): string {
  if (running === undefined) return state;
  return running.kind === "archive" ? "archiving" : "restoring";
}

function progressText({ running, error }: Partial<DatabaseView> = {}): string | undefined {
  if (running === undefined) return undefined;
  const { phase, rows } = running.progress;
  const waits = phase === "waiting" && error !== undefined ? `, tried again: ${error.message}` : "";
  return `${phase}${rows === undefined ? "" : ` ${rows} rows`}${waits}`;
}
