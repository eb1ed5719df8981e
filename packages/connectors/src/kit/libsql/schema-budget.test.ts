import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { testContext } from "../testing/harness.ts";
import { dump } from "./dump.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { definitionsMax, schemaSizeMax, settingsMax } from "./schema-budget.ts";
import { summarize } from "./summarize.ts";
import { collect } from "./testing/test-databases.ts";

type Definition = readonly [type: string, name: string, table: string, sql: string];

const text = (value: string) => ({ type: "text", value });
const integer = (value: number) => ({ type: "integer", value: String(value) });
const blob = (value: string) => ({ type: "blob", base64: Buffer.from(value).toString("base64") });
const hex = (value: string) => text(Buffer.from(value).toString("hex").toUpperCase());
const countless = 1_000_000_000;

type Lying = {
  /** What stands at a place of the schema; `undefined` after its end. */
  readonly definition: (place: number) => Definition | undefined;
  readonly settings?: (place: number) => string | undefined;
  readonly columns?: number;
  readonly rowsPerPage?: number;
  /** How many definitions it says that it has. */
  readonly counted?: number;
};

/** A server that answers as libSQL does, with a schema of any length, and counts what is pulled of it. */
function lyingServer(lying: Lying) {
  const { definition, settings = () => undefined, columns = 1, rowsPerPage = 1, counted = countless } = lying;
  const pulled = { rows: 0, characters: 0 };
  let place = 0;
  let settingPlace = 0;
  const page = <T>(next: () => T | undefined, row: (one: T) => readonly object[]) => {
    const rows: (readonly object[])[] = [];
    for (let one = next(); one !== undefined; one = next()) {
      rows.push(row(one));
      pulled.rows++;
      pulled.characters += JSON.stringify(one).length;
      if (rows.length === rowsPerPage) break;
    }
    return rows;
  };
  const defined = () => {
    const all: Definition[] = [];
    for (let at = 0; at < place; at++) all.push(definition(at) ?? ["", "", "", ""]);
    return all;
  };
  const rowsOf = (sql: string): readonly (readonly object[])[] => {
    if (sql.includes("pragma_encoding")) return [[text("UTF-8")]];
    if (sql.includes("pragma_user_version") || sql.includes("pragma_application_id")) return [[integer(0)]];
    if (sql.startsWith("SELECT hex(name), type FROM pragma_table_list")) {
      return defined().flatMap(([type, name, , sql]) => {
        const isSearch = sql.includes("VIRTUAL");
        const kinds = [[hex(name), text(isSearch ? "virtual" : type)]];
        return isSearch ? [...kinds, [hex(`${name}_content`), text("shadow")]] : kinds;
      });
    }
    if (sql.startsWith("SELECT wr")) return [[integer(0)]];
    if (sql.includes("pragma_table_xinfo")) {
      return Array.from({ length: columns }, (_, at) => [hex(`c${at}`), integer(0), integer(0), integer(0)]);
    }
    if (sql.includes("pragma_index_list")) return [];
    if (sql.startsWith('SELECT count(*) FROM "sqlite_schema"')) return [[integer(counted)]];
    if (sql.startsWith('SELECT count(*) FROM "f_config"')) return [[integer(countless)]];
    if (sql.startsWith("SELECT count(*)")) return [[integer(0)]];
    if (sql.includes('FROM "sqlite_schema"')) {
      return page(
        () => definition(place++),
        (one) => [integer(place), text("tttt"), ...one.map(blob)],
      );
    }
    if (sql.includes("_config")) {
      return page(
        () => settings(settingPlace++),
        (one) => [text("t"), blob(`k${settingPlace}`), text("tt"), blob(`k${settingPlace}`), blob(one)],
      );
    }
    return [];
  };
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const { requests } = JSON.parse(String(init?.body)) as { requests: { stmt?: { sql: string } }[] };
    const results = requests.map(({ stmt }) => ({
      type: "ok",
      response: { type: "execute", result: { rows: stmt === undefined ? [] : rowsOf(stmt.sql) } },
    }));
    return Response.json({ results });
  };
  const database: LibsqlDatabase = {
    provider: "libsql",
    context: { ...testContext(), fetch },
    address: "http://127.0.0.1:9",
    token: "token",
  };
  return { database, pulled };
}

const doings = [
  ["dump", (database: LibsqlDatabase) => collect(dump(database))],
  ["summarize", (database: LibsqlDatabase) => summarize(database)],
] as const;

const view = (place: number, length: number): Definition => [
  "view",
  `v${place}`,
  `v${place}`,
  `CREATE VIEW v${place} AS SELECT '${"€".repeat(length)}'`,
];
const search: Definition = ["table", "f", "f", "CREATE VIRTUAL TABLE f USING fts5(x)"];
const tooLarge = (message: RegExp) => ({
  name: "ProviderError",
  code: "rejected",
  retryable: false,
  message: expect.stringMatching(message),
  remedy: expect.stringMatching(/^Drop the tables, indexes, views and triggers/),
});

describe.each(doings)("%s asks for no more of a schema that has no end:", (_name, act) => {
  test("of long definitions", async () => {
    const { database, pulled } = lyingServer({ definition: (place) => view(place, 80_000) });
    await expect(act(database)).rejects.toMatchObject(tooLarge(/takes more than 16 MB$/));
    // The page that was too much, and the one that was on its way.
    expect(pulled.characters).toBeLessThan(schemaSizeMax + 3 * 81_000);
  });

  test("of many definitions", async () => {
    const { database, pulled } = lyingServer({ definition: (place) => view(place, 1), rowsPerPage: 5_000 });
    await expect(act(database)).rejects.toMatchObject(tooLarge(/more than 20000 rows in "sqlite_schema"$/));
    expect(pulled.rows).toBeLessThanOrEqual(definitionsMax + 2 * 5_000);
  });

  test("of settings of a full-text index", async () => {
    const definition = (place: number) => (place === 0 ? search : undefined);
    const settings = () => "1";
    const { database, pulled } = lyingServer({ definition, settings, rowsPerPage: 50, counted: 1 });
    await expect(act(database)).rejects.toMatchObject(tooLarge(/more than 100 rows in "f_config"$/));
    expect(pulled.rows).toBeLessThanOrEqual(1 + settingsMax + 2 * 50);
  });

  test("of columns", async () => {
    const definition = (place: number): Definition | undefined =>
      place < 500 ? ["table", `t${place}`, `t${place}`, `CREATE TABLE t${place}(x)`] : undefined;
    const { database } = lyingServer({ definition, columns: 600, rowsPerPage: 500, counted: 500 });
    await expect(act(database)).rejects.toMatchObject(tooLarge(/takes more than 16 MB$/));
  });
});

test("a definition that is listed twice is refused by its name", async () => {
  const { database } = lyingServer({
    definition: (place) => (place < 2 ? view(7, 1) : undefined),
    counted: 2,
  });
  await expect(summarize(database)).rejects.toMatchObject({
    code: "rejected",
    message: expect.stringMatching(/two definitions of the view "v7"$/),
  });
});

test("a schema's hash is that of its lines in the order of their texts", async () => {
  const names = ["b", "a", "a!", 'a"', "a#", "a\\", "é", "a\n", ""];
  const all = names.flatMap((name): Definition[] => [
    ["view", name, name, `CREATE VIEW ${name}`],
    ["trigger", name, "v", `CREATE TRIGGER ${name}`],
  ]);
  const { database } = lyingServer({ definition: (place) => all[place], counted: all.length });
  const lines = all.map((one) => JSON.stringify([...one, null])).toSorted();
  const expected = createHash("sha256")
    .update(`[0,0,null]\n${lines.join("\n")}`)
    .digest("hex");
  expect((await summarize(database)).schemaSha256).toBe(expected);
});

describe.each(doings)("%s of a schema that fills what may be held", (_name, act) => {
  test("lets others have their turns between its definitions", async () => {
    const count = 60;
    const turnsWith = async (length: number) => {
      const sql = (place: number) =>
        `CREATE VIRTUAL TABLE x${place} USING fts5(a /*${"[".repeat(length)}*/, b)`;
      const definition = (place: number): Definition | undefined =>
        place < count ? ["table", `x${place}`, `x${place}`, sql(place)] : undefined;
      const { database } = lyingServer({ definition, counted: count });
      let turns = 0;
      let done = false;
      const others = () => {
        turns++;
        if (!done) setImmediate(others);
      };
      others();
      await act(database).finally(() => {
        done = true;
      });
      return turns;
    };
    // One of the reading, and one of what is done with it.
    expect((await turnsWith(255_000)) - (await turnsWith(10))).toBeGreaterThan(count);
  });
});
