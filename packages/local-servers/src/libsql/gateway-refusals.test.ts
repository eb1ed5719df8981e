import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { createClient } from "@libsql/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chainMax, refusedIn } from "./sql-rules.ts";
import { type Asked, askDirect } from "./testing/ask-direct.ts";
import { askWays } from "./testing/ask-ways.ts";
import { variantsOf } from "./testing/sql-variants.ts";
import { startTestServer, type TestDatabase, type TestServer } from "./testing/test-server.ts";

const secret = "belongs to another";
const folder = mkdtempSync(join(tmpdir(), "keyloan-host-"));
const hostFile = join(folder, "admin-token");
let host: TestServer;
let own: TestDatabase;
let neighbourFile: string;

beforeAll(async () => {
  writeFileSync(hostFile, secret);
  // Without the other wall: what is shown here is that this one holds alone.
  host = await startTestServer({ walls: [] });
  own = await host.addDatabase("own");
  const neighbour = await host.addDatabase("neighbour");
  const client = createClient({ url: neighbour.url, authToken: await neighbour.token() });
  await client.batch(["CREATE TABLE notes (body)", `INSERT INTO notes VALUES ('${secret}')`], "write");
  client.close();
  neighbourFile = join(host.dataDirectory, "dbs/neighbour/data-wal");
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

const direct = async (sqls: readonly string[], texts: readonly string[] = []) =>
  askDirect(host.server, "own", await own.token(), sqls, texts);

/** A statement that gives a file's text, without the NULs of a database file. */
const reading = (file: string, call = "readfile") => `SELECT replace(hex(${call}('${file}')), 'x', '')`;
const secretInHex = Buffer.from(secret).toString("hex").toUpperCase();

test("asked past the gateway, the server gives both files: what is refused below is the gateway's doing", async () => {
  const asked = await direct([reading(hostFile), reading(neighbourFile)]);
  expect(asked.map(({ value }) => value?.includes(secretInHex))).toEqual([true, true]);
});

describe.each(Object.entries(askWays))("over %s", (_way, ask) => {
  test("SQL with such names as columns and texts runs", async () => {
    const answer = await ask(
      own,
      "SELECT 'wor' || 'king', edit, 'readfile(1), fsdir' FROM (SELECT 1 AS edit)",
    );
    expect(answer).toContain("working");
    expect(answer).toContain("readfile(1), fsdir");
  });

  test("neither a file of the machine nor a neighbour's database is read", async () => {
    for (const sql of [reading(hostFile), reading(neighbourFile), reading(neighbourFile, '"ReadFile"/**/')]) {
      const answer = await ask(own, sql);
      expect(answer).toContain("this database server does not take readfile");
      expect(answer).not.toContain(secretInHex);
    }
  });

  test("no file is written and no folder listed", async () => {
    const written = join(folder, "written");
    expect(await ask(own, `SELECT writefile('${written}', 'x')`)).toContain("does not take writefile");
    await expect(stat(written)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await ask(own, `SELECT name FROM fsdir('${folder}')`)).toContain("does not take fsdir");
  });
});

describe("what cannot be read is refused, and never reaches the server:", () => {
  const pipeline = JSON.stringify({ requests: [{ type: "execute", stmt: { sql: reading(hostFile) } }] });
  test.each<[string, string, Record<string, string>, string | Buffer]>([
    ["a compressed body", "/v2/pipeline", { "content-encoding": "gzip" }, gzipSync(pipeline)],
    ["a body that names another coding", "/v2/pipeline", { "content-encoding": "x" }, pipeline],
    ["a byte order mark", "/v2/pipeline", {}, `\ufeff${pipeline}`],
    [
      "bytes that are no UTF-8",
      "/v2/pipeline",
      {},
      Buffer.concat([Buffer.from(pipeline), Buffer.from([0xff])]),
    ],
    ["half a document", "/v2/pipeline", {}, pipeline.slice(0, -2)],
    ["JSON where Protobuf belongs", "/v3-protobuf/pipeline", {}, pipeline],
    ["a body where none belongs", "/health", {}, pipeline],
  ])("%s", async (_what, path, headers, body) => {
    const authorization = `Bearer ${await own.token()}`;
    const answer = await fetch(`${own.url}${path}`, {
      method: "POST",
      headers: { authorization, ...headers },
      body,
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("cannot be read");
  });

  test("an unknown subprotocol", async () => {
    const socket = new WebSocket(own.url.replace("http:", "ws:"), ["hrana9"]);
    await new Promise((resolve) => socket.addEventListener("error", resolve, { once: true }));
    expect(socket.readyState).not.toBe(WebSocket.OPEN);
  });

  test("a body in chunks", async () => {
    const parts = pipeline.match(/.{1,7}/gs) ?? [];
    const answer = await fetch(`${own.url}/v2/pipeline`, {
      method: "POST",
      headers: { authorization: `Bearer ${await own.token()}` },
      body: ReadableStream.from(parts.map((part) => Buffer.from(part))),
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(403);
  });
});

describe.each(Object.entries(askWays))("over %s", (_way, ask) => {
  test("no statement is passed on that uses up the server's stack", async () => {
    const asked = await ask(own, `SELECT 1${"+1".repeat(chainMax + 1)}`);
    expect(asked).toContain(`does not take more than ${chainMax} operators in one expression`);
    expect(await ask(own, "SELECT 'a' REGEXP replicate('(', 100000)")).toContain("does not take regexp");
    expect(await ask(own, "SELECT 'still ' || 'alive'")).toContain("still alive");
  });
});

describe("SQL that has the server write past its own memory, or count for ever,", () => {
  test.each([
    "SELECT length(replicate('AAAAAAAA', 536870913))",
    "SELECT replicate('', 9223372036854775807)",
    "SELECT length(padl('a', 4294967320))",
    "SELECT length(padr('a', 4294967320))",
    "SELECT length(PadC/**/('a', 4294967320))",
    "SELECT count(*) FROM vector_top_k('near', vector('[1,2,3]'), 536870912)",
    "SELECT count(*) FROM vector_top_k WHERE idx = 'near' AND vector = vector('[1,2,3]') AND k = 536870912",
  ])("is not passed on: %s", async (sql) => {
    const { pid } = host.server;
    const way = askWays["JSON /v2/pipeline"];
    for (const setup of [
      "CREATE TABLE IF NOT EXISTS places (e F32_BLOB(3))",
      "CREATE INDEX IF NOT EXISTS near ON places (libsql_vector_idx(e))",
    ])
      await way?.(own, setup);
    expect(await way?.(own, "SELECT id FROM vector_top_k('near', vector('[1,2,3]'), 3)")).toContain('"ok"');
    expect(await way?.(own, sql)).toContain("does not take");
    expect(await way?.(own, "SELECT 'still ' || 'alive'")).toContain("still alive");
    expect(host.server.pid).toBe(pid);
  });
});

describe("ways around that sqld itself has", () => {
  test.each([
    [
      "an option of FTS4 that names a function",
      "CREATE VIRTUAL TABLE f USING fts4(x, compress=lower, uncompress=readfile)",
    ],
    ["a byte order mark that is white space", `SELECT \ufeffreadfile('${hostFile}')`],
    ["SQL in a text that sha3_query runs", `SELECT sha3_query('SELECT writefile(''${folder}/x'', 1)')`],
    ["a table in single quotes", `SELECT name FROM 'fsdir' WHERE path = '${folder}'`],
    [
      "a vector index whose name attaches a file",
      `CREATE INDEX "i(q); ATTACH '${folder}/x' AS x; CREATE TABLE q" ON v (libsql_vector_idx(e))`,
    ],
    [
      "a vector index whose name reads a file",
      `CREATE INDEX "i_x AS SELECT readfile('${hostFile}') --" ON v (libsql_vector_idx(e))`,
    ],
    [
      "a table whose name reads a file when it is dumped",
      `CREATE TABLE "t"" WHERE 0 UNION SELECT readfile('${hostFile}') --" (a)`,
    ],
  ])("%s: the server takes it, the gateway does not", async (_what, sql) => {
    const setup = "CREATE TABLE IF NOT EXISTS v (e F32_BLOB(3))";
    const [, asked] = await direct([setup, sql]);
    expect(asked?.error ?? "").not.toMatch(/not authorized|syntax error|no such|unsupported/);
    const way = askWays["JSON /v2/pipeline"];
    expect(await way?.(own, sql)).toContain("does not take");
  });
});

test("the server's own dump, which runs the names of columns as SQL, is not to be had", async () => {
  const column = `1 /* ", readfile('${hostFile}'), " */ + 1`;
  const sql = `CREATE TABLE dumped AS SELECT ${column}, 2 AS "1 /* ", 3 AS " */ + 1"`;
  const [, made] = await direct(["SELECT 1", sql]);
  expect(made?.error).toBeUndefined();
  const answer = await fetch(`${own.url}/dump`, {
    headers: { authorization: `Bearer ${await own.token()}` },
  });
  expect([answer.status, await answer.text()]).toEqual([404, expect.not.stringContaining(secret)]);
});

test("whatever spelling the server takes for a call, the gateway does too", async () => {
  const sqls = spellings(2_000).map((call) => `SELECT CAST(${call} AS TEXT)`);
  const answers: Asked[] = [];
  for (let at = 0; at < sqls.length; at += 250) answers.push(...(await direct(sqls.slice(at, at + 250))));
  const taken = sqls.filter((_sql, index) => answers[index]?.value?.includes(secret) === true);
  expect(taken.length).toBeGreaterThan(150);
  expect(taken.filter((sql) => refusedIn(sql) === undefined)).toEqual([]);
});

test("a word that touches what stands before it is seen by the gateway wherever the server sees it", async () => {
  const before = [
    ...[
      "?",
      "?1",
      "?1.5",
      "$a",
      ":a",
      "@a",
      "#1",
      "$a::b",
      "$a::b(c)",
      "1",
      "1e5",
      "1.",
      ".5",
      "0x1f",
      "1_0",
    ],
    ...[
      "x'61'",
      "x'61''a'",
      "'a'",
      "'a'''",
      '"a"',
      "[a]",
      "`a`",
      "a",
      "a.a",
      "(a)",
      "/**/a/**/",
      "\ufeffa\v",
      "~a",
    ],
  ];
  const sqls = before.map((text) => `SELECT 'x' || (${text}regexp p) FROM (SELECT 'a' AS a, 'a' AS p)`);
  const asked = await Promise.all(sqls.map((sql) => direct([sql], sql.includes("?") ? ["a"] : [])));
  const taken = sqls.filter((_sql, index) => asked[index]?.[0]?.value?.startsWith("x"));
  expect(taken.length).toBeGreaterThan(8);
  expect(taken.filter((sql) => refusedIn(sql) === undefined)).toEqual([]);
});

describe("signs and words between the tokens of", () => {
  const file = [`INSERT INTO made (a) VALUES ('${hostFile}')`, "SELECT CAST(a AS TEXT) FROM made"];
  const page = "SELECT hex(data) LIKE '53514C697465%' FROM made";
  const found = "SELECT max(a) FROM loot";
  beforeAll(() => direct(["CREATE TABLE loot (a)", "INSERT INTO loot VALUES (1)"]));

  test.each<[string, readonly string[], string]>([
    ["CREATE VIRTUAL TABLE made USING fts4(a, b, compress=trim, uncompress=readfile)", file, secret],
    [`CREATE VIRTUAL TABLE made USING fts4(a, compress='trim', uncompress="readfile")`, file, secret],
    ["CREATE VIRTUAL TABLE made USING fts4(data, content='sqlite_dbpage')", [page], "1"],
    ["CREATE VIRTUAL TABLE made USING fts5(data, content=sqlite_dbpage)", [page], "1"],
    [
      "CREATE TRIGGER g DELETE ON loot BEGIN SELECT 1; INSERT INTO loot VALUES (replicate('ab', 3)); END",
      ["DELETE FROM loot", found],
      "ababab",
    ],
    ["INSERT INTO loot SELECT 'x' || (p REGEXP p) FROM (SELECT 'a' AS p)", [found], "x1"],
    ["INSERT INTO loot SELECT hex(data) FROM loot AS l, 'sqlite_dbpage'", [found], "53514C697465"],
  ])("%s: each of which the gateway lets through does no harm", async (sql, then, harm) => {
    const harms = async (variants: readonly string[]) => {
      const asked = await direct(variants.flatMap((variant) => ["BEGIN", variant, ...then, "ROLLBACK"]));
      const size = then.length + 3;
      return variants.filter((_variant, index) =>
        asked.slice(index * size, (index + 1) * size).some(({ value }) => value?.startsWith(harm)),
      );
    };
    expect(refusedIn(sql)).toBeDefined();
    expect(await harms([sql])).toEqual([sql]);
    expect(await harms(variantsOf(sql).filter((variant) => refusedIn(variant) === undefined))).toEqual([]);
  });
});

test.each([
  ["patterns of LIKE", "SELECT replicate('a', 50000) LIKE replicate('%a', 24999)"],
  ["chains of operators", `SELECT 1${"+1".repeat(3 * chainMax)}`],
])("the stacks of the server's threads are large enough for the longest %s", async (_what, sql) => {
  const { pid } = host.server;
  await direct([sql]);
  expect((await direct(["SELECT 'alive'"]))[0]?.value).toBe("alive");
  expect(host.server.pid).toBe(pid);
});

test("each function and module that sqld has beyond SQLite's own was looked at", async () => {
  const served = await direct(
    ["function", "module"].map((kind) => `SELECT group_concat(DISTINCT name) FROM pragma_${kind}_list`),
  );
  const sqlite = new DatabaseSync(":memory:");
  const own = ["function", "module"].flatMap((kind) =>
    sqlite.prepare(`SELECT name FROM pragma_${kind}_list`).all(),
  );
  sqlite.close();
  const names = served.flatMap(({ value }) => value?.split(",") ?? []);
  const extra = names.filter((name) => !own.some((row) => row.name === name));
  expect(
    extra.filter((name) => refusedIn(`SELECT * FROM ${name}(1)`) === undefined && !harmless.has(name)),
  ).toEqual([]);
});

// They compute, or tell of this connection or this database alone. carray takes pointers, which SQL cannot make;
// lsmode writes a file's mode in letters; the sqlite3mc ones set ciphers, which are not in use.
const harmless: ReadonlySet<string> = new Set(
  `atn2 carray charindex cot coth difference generate_series json_each json_tree last_rows_affected leftstr
  libsql_server_database_name libsql_vector_idx lsmode proper
  reverse rightstr sha3 soundex sqlite3mc_codec_data sqlite3mc_config sqlite3mc_config_table
  sqlite3mc_version sqlite_crypt sqlite_stmt square stdev strfilter uuid uuid_blob uuid_str variance
  vector vector16 vector1bit vector32 vector64 vector8 vector_distance_cos vector_distance_l2 vector_extract vectorb16`.split(
    /\s+/,
  ),
);

/** Calls in random spellings, right and wrong ones, always the same. */
function spellings(count: number): readonly string[] {
  let state = 42;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const pick = (from: readonly string[]) => from[random(from.length)] ?? "";
  const gaps = [
    "",
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\f",
    "\v",
    "\u00a0",
    "\ufeff",
    "/**/",
    "/* ' */",
    "/*/*/",
    "--\n",
    "--'\n",
    "--\r\n",
    "\0",
  ];
  const before = [
    "",
    "",
    "'a'||",
    '"',
    "1+",
    "''||",
    "'''",
    "x''||",
    "/*'*/",
    "$a(')",
    ":a||",
    "[",
    "--[\n",
    "(",
    "-",
    "~",
  ];
  const quotes = [
    ["", ""],
    ["", ""],
    ['"', '"'],
    ["[", "]"],
    ["`", "`"],
    ["'", "'"],
    ['""', '""'],
    ["main.", ""],
    ["\ufeff", ""],
  ] as const;
  const name = () => [..."readfile"].map((char) => (random(3) === 0 ? char.toUpperCase() : char)).join("");
  return Array.from({ length: count }, () => {
    const [open = "", close = ""] = quotes[random(quotes.length)] ?? [];
    const lead = random(3) === 0 ? pick(before) : "";
    return `${lead}${pick(gaps)}${open}${name()}${close}${pick(gaps)}${random(2) === 0 ? "" : pick(gaps)}('${hostFile}')`;
  });
}
