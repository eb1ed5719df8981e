import { DatabaseSync } from "node:sqlite";
import {
  type ConnectorContext,
  type DatabaseContent,
  type DatabaseSummary,
  ProviderError,
  type SecretValues,
  secretValues,
} from "@keyloan/contract";
import type { TransferEnd } from "../transfer-failure.ts";
import { fakeContext, sha256, type Trouble } from "./fake-end.ts";

/**
 * Databases in memory by name, with the interface that connectors provide. A dump is one line of JSON per row.
 * @param variable the name of the variable that holds a database's name
 */
export function fakeDatabases(names: readonly string[], variable = "NAME") {
  const databases = new Map(names.map((name) => [name, new DatabaseSync(":memory:")]));
  const trouble: Record<string, Trouble> = Object.fromEntries(names.map((name) => [name, {}]));
  /** Trouble for any database; called with its name. */
  const anyTrouble: Partial<Record<string, ((name: string) => unknown) | undefined>> = {};
  const steps: string[] = [];
  const nameOf = (values: SecretValues) => values[variable]?.reveal() ?? "";
  const open = async (
    context: ConnectorContext,
    values: SecretValues,
    step: string,
  ): Promise<DatabaseSync> => {
    if (context.signal.aborted) throw new ProviderError("fake", "timeout", "was ended");
    const name = nameOf(values);
    steps.push(`${step} ${name}`);
    await trouble[name]?.[step]?.();
    await anyTrouble[step]?.(name);
    if (context.signal.aborted) throw new ProviderError("fake", "timeout", "was ended");
    const database = databases.get(name);
    if (database === undefined) throw new Error(`no database ${name}`);
    return database;
  };
  const tablesOf = (database: DatabaseSync) =>
    database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all() as {
      name: string;
      sql: string;
    }[];
  type Thing = { readonly type: string; readonly name: string; readonly sql: string };
  /** What is noted in each database, by its name; a real database has a table for this. */
  const notes = new Map<string, { readonly owner: string; readonly made: Thing[] }>();
  const thingsOf = (database: DatabaseSync) =>
    database.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all() as Thing[];
  const content: Omit<DatabaseContent, "writeFile" | "file" | "probeDurability"> = {
    async *dump(context, values) {
      const database = await open(context, values, "dump");
      for (const { name, sql } of tablesOf(database)) {
        yield Buffer.from(`${JSON.stringify({ sql })}\n`);
        for (const row of database.prepare(`SELECT * FROM "${name}"`).all()) {
          await trouble[nameOf(values)]?.row?.();
          yield Buffer.from(`${JSON.stringify({ name, row: Object.values(row) })}\n`);
        }
      }
    },
    async finishWrites(context, values) {
      await open(context, values, "finishWrites");
    },
    async isEmpty(context, values) {
      return thingsOf(await open(context, values, "isEmpty")).length === 0;
    },
    async load(context, values, dump, onProgress, owner) {
      const database = await open(context, values, "load");
      if (thingsOf(database).length > 0) throw new ProviderError("fake", "conflict", "already has content");
      const made: Thing[] = [];
      notes.set(nameOf(values), { owner: owner ?? "", made });
      let [rows, bytes] = [0, 0];
      for await (const text of linesOf(dump)) {
        context.signal.throwIfAborted();
        await trouble[nameOf(values)]?.write?.();
        const line = JSON.parse(text) as {
          sql?: string;
          name: string;
          row: string[];
        };
        bytes += text.length;
        if (line.sql !== undefined) {
          database.exec(line.sql);
          made.push(...thingsOf(database).filter(({ sql }) => sql === line.sql));
        } else {
          const places = line.row.map(() => "?").join(", ");
          database.prepare(`INSERT INTO "${line.name}" VALUES (${places})`).run(...line.row);
          rows += 1;
          onProgress?.({ rows, bytes, item: line.name });
        }
      }
    },
    async summarize(context, values, onProgress): Promise<DatabaseSummary> {
      const database = await open(context, values, "summarize");
      const tables = tablesOf(database);
      let read = 0;
      return {
        schemaSha256: sha256(JSON.stringify(tables)),
        tables: tables.map(({ name }) => {
          const rows = database.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all();
          read += rows.length;
          onProgress?.({ rows: read, bytes: 0, item: name });
          if (context.signal.aborted) throw new ProviderError("fake", "timeout", "was ended");
          return { name, rows: rows.length, sha256: sha256(JSON.stringify(rows)) };
        }),
      };
    },
    async empty(context, values) {
      const database = await open(context, values, "empty");
      for (const { type, name } of thingsOf(database)) database.exec(`DROP ${type} IF EXISTS "${name}"`);
    },
    async takeBack(context, values, owner) {
      const database = await open(context, values, "takeBack");
      const noted = notes.get(nameOf(values));
      if (noted?.owner === owner) {
        for (const { type, name, sql } of noted.made) {
          const same = thingsOf(database).some((one) => one.name === name && one.sql === sql);
          if (same) database.exec(`DROP ${type} IF EXISTS "${name}"`);
        }
        notes.delete(nameOf(values));
      }
      return thingsOf(database).length;
    },
    async settle(context, values, owner) {
      await open(context, values, "settle");
      if (notes.get(nameOf(values))?.owner === owner) notes.delete(nameOf(values));
    },
  };
  return {
    // The cast holds for the engine of transfers, which uses nothing else of it.
    content: content as DatabaseContent,
    steps,
    trouble,
    anyTrouble,
    names: () => [...databases.keys()],
    add: (name: string) => void databases.set(name, databases.get(name) ?? new DatabaseSync(":memory:")),
    remove: (name: string) => void databases.delete(name),
    has: (name: string) => databases.has(name),
    database: (name: string) => {
      const found = databases.get(name);
      if (found === undefined) throw new Error(`no database ${name}`);
      return found;
    },
    end: (name: string, signal?: AbortSignal): TransferEnd => ({
      context: fakeContext(signal),
      values: secretValues({ [variable]: name }),
    }),
    close: () => {
      for (const database of databases.values()) database.close();
    },
  };
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") throw new ProviderError("fake", "rejected", "was given half a dump");
}
