import { writeFile } from "node:fs/promises";
import { type Connector, type ConnectorSpec, idSuffix, secretValues } from "@keyloan/contract";
import { fakeDatabases, fakeStorage } from "@keyloan/database-provisioner/testing";

const variable = (name: string, secret: boolean) => ({
  name,
  label: name,
  secret,
  exposure: "server" as const,
  pattern: "^[a-z0-9-]{3,80}$",
});
const spec = (id: string, label: string, category: "database" | "storage"): ConnectorSpec => ({
  id,
  label,
  category,
  summary: "Holds data in memory.",
  grade: "B",
  revocation: "It is removed.",
  orgFields: [],
  env: [
    variable(`${id.replace("-", "_").toUpperCase()}_NAME`, false),
    variable(`${id.replace("-", "_").toUpperCase()}_TOKEN`, true),
  ],
});

/**
 * A database and a file storage in this process whose every step a test can hold up or break: what stand-ins on
 * a network cannot show at a chosen instant.
 */
export function createMemoryConnectors() {
  const databases = fakeDatabases([], "MEMORY_DATABASE_NAME");
  const storage = fakeStorage([], "MEMORY_FILES_NAME");
  const frozen = new Set<string>();
  /** Called before the source is stopped or accepts writes again; a test makes it throw. */
  const control: {
    trouble?: (writable: boolean) => unknown;
    usageTrouble?: (name: string) => unknown;
    dropTrouble?: (name: string) => unknown;
  } = {};
  /** Rows that the provider counts for a database; none for those that are not named. */
  const used = new Map<string, number>();
  /** What the provider was asked to end, in order. */
  const dropped: string[] = [];
  const lentName = (leaseId: string) => `lent-${idSuffix(leaseId)}`;
  const database: Connector = {
    spec: spec("memory-database", "Memory database", "database"),
    validate: async () => ({ status: "valid", account: "own", capabilities: [], warnings: [] }),
    database: {
      plan: ({ leaseId }) => ({ name: lentName(leaseId) }),
      create: async (_context, _org, { handle }) => {
        databases.add(handle.name ?? "");
        return handle;
      },
      access: async (_context, _org, { handle, leaseId }) =>
        secretValues({
          MEMORY_DATABASE_NAME: handle.name ?? "",
          MEMORY_DATABASE_TOKEN: `token-of-${idSuffix(leaseId)}`,
        }),
      ready: async () => true,
      locate: async (_context, _org, { handle }) => handle,
      drop: async (_context, _org, { handle }) => {
        await control.dropTrouble?.(handle.name ?? "");
        dropped.push(handle.name ?? "");
        databases.remove(handle.name ?? "");
        frozen.delete(handle.name ?? "");
      },
      control: {
        setWritable: async (_context, _org, { handle }, writable) => {
          await control.trouble?.(writable);
          if (writable) frozen.delete(handle.name ?? "");
          else frozen.add(handle.name ?? "");
        },
        usage: async (_context, _org, { handle: { name = "" } }) => {
          await control.usageTrouble?.(name);
          return { rows: used.get(name) ?? 0 };
        },
      },
      content: {
        ...databases.content,
        // Its own tools would open a dump.
        writeFile: (dump, path) => writeFile(path, dump),
        file: { extension: "db", mediaType: "application/octet-stream" },
        probeDurability: async () => ({ steps: [] }),
      },
    },
  };
  const files: Connector = {
    spec: spec("memory-files", "Memory files", "storage"),
    validate: async () => ({ status: "valid", account: "own", capabilities: [], warnings: [] }),
    issuer: {
      plan: ({ leaseId }) => ({ name: lentName(leaseId) }),
      issue: async (_context, _org, { handle, leaseId }) =>
        secretValues({
          MEMORY_FILES_NAME: handle.name ?? "",
          MEMORY_FILES_TOKEN: `token-of-${idSuffix(leaseId)}`,
        }),
      revoke: async () => undefined,
    },
    storage: storage.storage,
  };
  return {
    connectors: [database, files],
    databases,
    storage,
    frozen,
    used,
    dropped,
    control,
    /** What another program does with a database: it is refused while nobody may write. */
    write: (name: string, sql: string) => {
      if (frozen.has(name)) throw new Error("writes are blocked");
      databases.database(name).exec(sql);
    },
  };
}

export type MemoryConnectors = ReturnType<typeof createMemoryConnectors>;
