import { createHash } from "node:crypto";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { empty } from "./empty.ts";
import { brokenDump, type DumpFault } from "./errors.ts";
import { load } from "./load.ts";
import { readDump } from "./read-dump.ts";
import { collect, inPieces, startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";
import { writeFile } from "./write-file.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let target: TestDatabase;
let directory: string;
let whole: Buffer;
beforeAll(async () => {
  databases = await startTestDatabases();
  directory = await mkdtemp(join(tmpdir(), "keyloan-broken-"));
  target = await databases.add();
  const source = await databases.add();
  await source.run(
    "CREATE TABLE a(x)",
    "INSERT INTO a VALUES('one'),('two'),(3.5)",
    "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT, y)",
    "INSERT INTO b(y) VALUES(randomblob(700000)),('after')",
    "CREATE INDEX a_x ON a(x)",
  );
  whole = await collect(dump(source));
});
afterAll(async () => {
  await databases?.close();
  await rm(directory, { recursive: true, force: true });
});

const rejected = (message: RegExp) => ({
  name: "ProviderError",
  code: "rejected",
  message: expect.stringMatching(message),
});

const broken = (fault: DumpFault) => brokenDump("libsql", fault);

async function read(bytes: Uint8Array): Promise<number> {
  let records = 0;
  for await (const some of readDump(broken, inPieces(bytes, 64 * 1024))) records += some.length;
  return records;
}

/** The dump with lines changed, and an end that fits them. */
function rewritten(change: (lines: string[]) => string[]): Buffer {
  const lines = change(whole.toString().split("\n").slice(0, -2));
  const body = Buffer.from(`${lines.join("\n")}\n`);
  const of = (letter: string) => lines.filter((line) => line.startsWith(letter)).length;
  const end = { tables: of("t"), rows: of("r"), sha256: createHash("sha256").update(body).digest("hex") };
  return Buffer.concat([body, Buffer.from(`e${JSON.stringify(end)}\n`)]);
}

test("a dump is read however it is cut into pieces", async () => {
  const records = await read(whole);
  for (const bytes of [3, 100_000, whole.length]) {
    let seen = 0;
    for await (const some of readDump(broken, inPieces(whole, bytes))) seen += some.length;
    expect(seen).toBe(records);
  }
});

test("a dump that is cut anywhere is refused", async () => {
  const places = Array.from({ length: 60 }, (_, index) => Math.floor((whole.length * index) / 60));
  const ends = [1, 2, 40, 90].map((bytes) => whole.length - bytes);
  for (const place of [...places, ...ends]) {
    await expect(read(whole.subarray(0, place))).rejects.toMatchObject(rejected(/is cut short/));
  }
});

test("a dump in which one byte is another is refused, wherever it is", async () => {
  for (let index = 0; index < 60; index++) {
    const place = Math.floor((whole.length * index) / 60) + (index % 7);
    const changed = Buffer.from(whole);
    changed[place] = (changed[place] ?? 0) ^ 1;
    await expect(read(changed)).rejects.toMatchObject(rejected(/was altered|version|start|cut|too long|end/));
  }
});

describe("a dump is refused that", () => {
  const line = (start: string, to: string) => (lines: string[]) =>
    lines.map((one) => (one.startsWith(start) ? to : one));
  test.each([
    ["is empty", () => Buffer.alloc(0), /is cut short/],
    [
      "is something else",
      () => Buffer.from("PRAGMA foreign_keys=OFF;\nBEGIN;\n"),
      /does not start like a dump/,
    ],
    [
      "is of a later version",
      () => rewritten((lines) => ["keyloan-libsql-dump 2", ...lines.slice(1)]),
      /a version that this one cannot read/,
    ],
    ["goes on after its end", () => Buffer.concat([whole, Buffer.from("x")]), /continues after its end/],
    ["comes twice", () => Buffer.concat([whole, whole]), /continues after its end/],
    ["has no head", () => rewritten((lines) => lines.filter((one) => !one.startsWith("h"))), /altered/],
    ["has a row too many", () => rewritten((lines) => [...lines, 'r["x","y","z"]']), /altered/],
    ["has a value of no kind", () => rewritten(line('r[1,"one"', 'r[1,["one"]]')), /altered/],
    ["has two kinds in one value", () => rewritten(line("r", 'r[1,{"i":"1","r":"1"}]')), /altered/],
    ["has a number that is none", () => rewritten(line("r", 'r[1,{"r":"1); DROP TABLE a; --"}]')), /altered/],
    ["has base64 that is none", () => rewritten(line("r", 'r[1,{"b":"\\"}"}]')), /altered/],
    [
      "lacks a part of a value",
      () => rewritten((lines) => lines.filter((one) => !one.startsWith("p"))),
      /altered/,
    ],
    [
      "has a part too many",
      () => rewritten((lines) => lines.flatMap((one) => (one.startsWith("p") ? [one, one] : [one]))),
      /altered/,
    ],
    ["ends before a value's row", () => rewritten((lines) => [...lines, 'p"AAAA"']), /altered/],
    [
      "names no type of object",
      () => rewritten(line("s", 's{"type":"function","name":"a","table":"a","sql":""}')),
      /altered/,
    ],
    ["defines something after its rows", () => rewritten((lines) => [...lines, lines[2] ?? ""]), /altered/],
    [
      "has a line without an end",
      () => Buffer.concat([whole.subarray(0, 500), Buffer.alloc(9 * 1024 * 1024, 97)]),
      /too long/,
    ],
  ])("%s", async (_what, make, message) => {
    await expect(read(make())).rejects.toMatchObject(rejected(message));
  });
});

test("a cut or altered dump is never reported as loaded, and the database is filled after emptying it", async () => {
  const altered = Buffer.from(whole);
  altered[whole.length - 200_000] = (altered[whole.length - 200_000] ?? 0) ^ 3;
  for (const broken of [whole.subarray(0, whole.length - 1), whole.subarray(0, whole.length / 2), altered]) {
    await expect(load(target, inPieces(broken))).rejects.toMatchObject(rejected(/cut short|altered/));
    // The last that is made is made only of a dump that is known to be good.
    expect(await target.values("SELECT count(*) FROM sqlite_schema WHERE type='index'")).toEqual(["0"]);
    await empty(target);
  }
  await load(target, inPieces(whole));
  expect(await target.values("SELECT group_concat(x), (SELECT count(*) FROM b) FROM a")).toEqual([
    "one,two,3.5",
    "2",
  ]);
  await empty(target);
});

test("a file of a cut or altered dump is removed", async () => {
  const path = join(directory, "cut.db");
  for (const broken of [whole.subarray(0, whole.length - 1), whole.subarray(0, 300), Buffer.alloc(0)]) {
    await expect(writeFile("libsql", inPieces(broken), path)).rejects.toMatchObject({ code: "rejected" });
    await expect(access(path)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(access(`${path}-journal`)).rejects.toMatchObject({ code: "ENOENT" });
  }
});

test("what a dump names cannot leave its quotes", async () => {
  const name = 'x"); DROP TABLE a; --';
  const sql = `CREATE TABLE "${name.replaceAll('"', '""')}"(x)`;
  const evil = rewritten((lines) => [
    ...lines.slice(0, 2),
    `s${JSON.stringify({ type: "table", name: "a", table: "a", sql: "CREATE TABLE a(x)" })}`,
    `s${JSON.stringify({ type: "table", name, table: name, sql })}`,
    `t${JSON.stringify({ name, columns: ["x"] })}`,
    `r["'); DROP TABLE a; --"]`,
  ]);
  await load(target, inPieces(evil));
  expect(await target.values("SELECT count(*) FROM a")).toEqual(["0"]);
  expect(await target.values(`SELECT x FROM "${name.replaceAll('"', '""')}"`)).toEqual([
    "'); DROP TABLE a; --",
  ]);
  await empty(target);
});
