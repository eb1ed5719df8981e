import { type DatabaseView, databaseListSchema } from "@keyloan/contract";
import { FakeError } from "./fake-broker.ts";

/** What the fake knows of databases; each listing brings what is under way one step on. */
export type FakeDatabases = {
  readonly databases: Map<string, DatabaseView>;
  /** What the next work that begins ends with. */
  ending: "done" | "failed";
  file: string;
};

type Answer = { readonly status?: number; readonly body: unknown; readonly type?: string };

export const activeDatabase = (connector: string): DatabaseView => ({
  connector,
  leaseId: "lse_3k9v0a5m2c7d8e4f6g1h",
  state: "active",
  usedRows: 1234,
  idleSince: "2026-11-01T00:00:00.000Z",
  archiveAt: "2026-12-01T00:00:00.000Z",
  archives: [],
});

const archive = {
  id: "arc_3k9v0a5m2c7d8e4f6g1h",
  state: "verified",
  bytes: 4096,
  tables: 2,
  rows: 20_000,
  createdAt: "2026-11-20T00:00:00.000Z",
  verifiedAt: "2026-11-20T00:00:01.000Z",
} as const;

const failure = { code: "not_faithful", message: "it came back changed", remedy: "Report it." };

export function createFakeDatabases() {
  const state: FakeDatabases = { databases: new Map(), ending: "done", file: "SQLite format 3\0content" };
  const list = (status = 200): Answer => ({
    status,
    body: databaseListSchema.parse({ databases: [...state.databases.values()] }),
  });
  const begin = (connector: string, kind: "archive" | "restore") => {
    const database = find(state, connector);
    if (kind === "archive" && database.state === "archived")
      throw new FakeError("database_archived", "it is archived", "Restore it.");
    const progress = { phase: "dumping", rows: 100 } as const;
    state.databases.set(connector, { ...database, running: { kind, state: "waiting", progress } });
    return list(202);
  };
  return {
    state,
    list: () => {
      const answer = list();
      for (const [connector, database] of state.databases)
        state.databases.set(connector, next(state, database));
      return answer;
    },
    archive: (connector: string) => begin(connector, "archive"),
    restore: (connector: string) => begin(connector, "restore"),
    download: (connector: string): Answer => {
      find(state, connector);
      return { body: state.file, type: "application/vnd.sqlite3" };
    },
  };
}

function find({ databases }: FakeDatabases, connector: string): DatabaseView {
  const database = databases.get(connector);
  if (database === undefined) throw new FakeError("not_found", "there is none", "Check its name.");
  return database;
}

function next({ ending }: FakeDatabases, { running, ...database }: DatabaseView): DatabaseView {
  if (running === undefined) return database;
  if (ending === "failed") return { ...database, error: failure };
  return running.kind === "archive"
    ? { ...database, state: "archived", archives: [archive] }
    : { ...database, state: "active", archives: [{ ...archive, state: "restored" }] };
}
