import type { DumpDefinition } from "../dump-format.ts";
import { type DumpParts, other, searchOver, table } from "./dump-of.ts";

/** Names of the broker's own tables, so that what would reach them shows. */
export const ownTables = ["tokens", "builds", "org_keys", "audit_events", "data_keys"] as const;

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A schema that means harm, as a database could list it; the same for the same seed. */
export function hostileSchema(seed: number, storePath: string): DumpParts {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => {
    const picked = list[Math.floor(random() * list.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  };
  const name = pick([
    ...ownTables,
    "t",
    "select",
    "a b",
    'q"q',
    "t'",
    "t]",
    "t`",
    "t;--",
    "sqlite_t",
    "é\u202e",
    "t\0t",
  ]);
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const statement = pick([
    `ATTACH DATABASE '${storePath}' AS k`,
    "PRAGMA writable_schema=ON",
    `PRAGMA temp_store_directory='/tmp'`,
    `VACUUM INTO '${storePath}-copy'`,
    "COMMIT",
    "ROLLBACK",
    "DELETE FROM sqlite_schema",
    `UPDATE sqlite_schema SET sql='${storePath}'`,
    `INSERT INTO ${quoted} VALUES(1)`,
    `DROP TABLE ${quoted}`,
    "SELECT load_extension('x')",
    "CREATE TEMP TABLE u(x)",
  ]);
  const call = pick([
    "load_extension('x')",
    `readfile('${storePath}')`,
    `writefile('${storePath}', x)`,
    "zeroblob(1000000000)",
    "randomblob(1000000000)",
    "printf('%999999999d', 1)",
    "fts3_tokenizer('x', x)",
    "sqlite_source_id()",
    "(SELECT 1)",
    "edit(x)",
  ]);
  const gap = pick([
    "",
    " ",
    "\n",
    "/* */",
    "--\n",
    "/*",
    "--",
    ";",
    ";;",
    "\0",
    "'",
    '"',
    "\ud800",
    ") STRICT, (",
  ]);
  const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n)";
  const view = other(
    "view",
    "v",
    "v",
    `CREATE VIEW v AS ${endless} SELECT i AS rowid, hex(zeroblob(9999))||i AS x FROM n`,
  );
  const trigger = (on: string, body: string) =>
    other(
      "trigger",
      "r",
      on,
      `CREATE TRIGGER r AFTER INSERT ON "${on.replaceAll('"', '""')}" BEGIN ${body}; END`,
    );
  const module = pick([
    "dbstat",
    "rtree",
    "fts4",
    "csv",
    "zipfile",
    "fsdir",
    "sqlite_dbpage",
    "fts5vocab",
    "geopoly",
  ]);
  const simple = table(name, `CREATE TABLE ${quoted}(x)`);
  const schemas: readonly (() => readonly DumpDefinition[])[] = [
    () => [table(name, `CREATE TABLE ${quoted}(x);${gap}${statement};--`)],
    () => [table(name, `CREATE TABLE ${quoted}(x)${gap}${statement}`)],
    () => [table(name, `${gap}CREATE${gap}TABLE${gap}${quoted}(x)`)],
    () => [table(name, statement)],
    () => [table(name, `CREATE TABLE ${quoted}(x, y AS (${call}) ${pick(["STORED", "VIRTUAL"])})`)],
    () => [table(name, `CREATE TABLE ${quoted}(x, CHECK(${call}${gap}))`)],
    () => [table(name, `CREATE TABLE ${quoted}(x DEFAULT (${call}))`)],
    () => [table(name, `CREATE TABLE ${quoted} AS ${endless} SELECT i AS x FROM n`)],
    () => [table(name, `CREATE VIRTUAL TABLE ${quoted} USING ${module}(x)`)],
    () => [simple, other("index", "i", name, `CREATE INDEX i ON ${quoted}(${call})`)],
    () => [simple, other("index", "i", name, `CREATE INDEX i ON ${quoted}(x) WHERE ${call}${gap}`)],
    () => [simple, trigger(name, `INSERT INTO ${quoted} SELECT ${call} FROM ${quoted}`)],
    () => [simple, trigger(name, `${statement}${gap}`)],
    () => [simple, trigger(pick(ownTables), "SELECT 1")],
    () => [view, searchOver("f", "v")],
    () => [
      simple,
      other("view", "v", "v", `CREATE VIEW v AS SELECT rowid, ${call} AS x FROM ${quoted}`),
      searchOver("f", "v"),
    ],
    () => [simple, other("view", "v", "v", `CREATE VIEW v AS SELECT 1;${statement}`)],
    () => [other(pick(["index", "view", "trigger"]), name, name, `CREATE TABLE ${quoted}(x)`)],
    () => [
      table(name, `CREATE TABLE ${quoted}(x CHECK(x<>'${"y".repeat(random() < 0.2 ? 10_000_000 : 2_000)}'))`),
    ],
    () => [
      simple,
      table(`${name}_data`, `CREATE TABLE "${name.replaceAll('"', '""')}_data"(x)`),
      searchOver(name, name),
    ],
  ];
  const definitions = schemas[seed % schemas.length]?.() ?? [];
  const columns = ["x"];
  const isTable = definitions.some((one) => one.type === "table" && one.name === name);
  return { definitions, rows: isTable ? [{ name, columns, values: [["some"], [seed]] }] : [] };
}
