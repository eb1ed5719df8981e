import { randomUUID } from "node:crypto";
import { readdir, readFile, writeFile as writeText } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { usualLimits } from "../../../packages/connectors/src/kit/libsql/file-process/watch-process.ts";
import {
  dumpOf,
  other,
  searchOver,
  table,
} from "../../../packages/connectors/src/kit/libsql/testing/dump-of.ts";
import {
  hostileSchema,
  ownTables,
} from "../../../packages/connectors/src/kit/libsql/testing/hostile-schemas.ts";
import { writeFile } from "../../../packages/connectors/src/kit/libsql/write-file.ts";
import { type Attack, type Family, spoilIf } from "../attack.ts";
import type { Machine } from "../machine.ts";

type Dump = (storePath: string) => Buffer;

const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
const asTable = (sql: string) => dumpOf({ definitions: [table("t", sql)] });

/** Schemas as somebody writes them over a page of the schema. */
const named: Readonly<Record<string, Dump>> = {
  "attach-behind-a-table": (store) =>
    asTable(
      `CREATE TABLE t(a);COMMIT;ATTACH DATABASE ('${store}') AS k;DELETE FROM k.tokens;DETACH k;BEGIN;--xxx`,
    ),
  "attach-instead-of-a-table": (store) => asTable(`ATTACH DATABASE '${store}' AS k`),
  "vacuum-into-the-store": (store) => asTable(`VACUUM INTO '${store}'`),
  "comment-before-a-second-statement": (store) =>
    asTable(`CREATE TABLE t(a) /* ; */ ;\n-- x\nATTACH '${store}' AS k`),
  "endless-view-in-a-search": () =>
    dumpOf({
      definitions: [
        other("view", "v", "v", `CREATE VIEW v AS ${endless} SELECT i AS rowid, i AS x FROM n WHERE i < 0`),
        searchOver("f", "v"),
      ],
    }),
  "growing-view-in-a-search": () =>
    dumpOf({
      definitions: [
        other(
          "view",
          "v",
          "v",
          `CREATE VIEW v AS ${endless} SELECT i AS rowid, hex(zeroblob(9999)) || i AS x FROM n`,
        ),
        searchOver("f", "v"),
      ],
    }),
  "endless-table-from-a-query": () => asTable(`CREATE TABLE t AS ${endless} SELECT i AS a FROM n`),
  "a-dump-without-an-end": () => Buffer.from("keyloan-libsql-dump 1\nh{}\n"),
};

const seeds = 24;
const secondsMax = 30;
/** The usual ones, but for the time: what has no end is ended the same way, and sooner. */
const limits = { ...usualLimits, workMs: () => 4_000 };

export const forgedSchema: Family = {
  name: "forged-schema",
  on: "machine",
  attacks: [
    ...Object.entries(named).map(
      ([id, dump]): Attack<Machine> => ({ id, run: (machine) => attack(machine, dump) }),
    ),
    ...Array.from(
      { length: seeds },
      (_, seed): Attack<Machine> => ({
        id: `drawn-${seed + 1}`,
        run: (machine) => attack(machine, (store) => dumpOf(hostileSchema(seed * 13 + 1, store))),
      }),
    ),
  ],
};

/** Has a file made of a dump in a folder where a store lies, and looks at what else was touched, and how long. */
async function attack(machine: Machine, dump: Dump) {
  const folder = await machine.newFolder("schema");
  const store = join(folder, "keyloan.db");
  makeStore(store);
  await writeText(join(folder, "secret"), randomUUID());
  const before = await lookAt(folder);
  const made = join(folder, "made.db");
  const began = performance.now();
  await writeFile("attack", pieces(dump(store)), made, { limits }).catch(() => undefined);
  const seconds = (performance.now() - began) / 1000;
  const after = await lookAt(folder);
  after.delete("made.db");
  const touched = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  if (touched.length > 0) return `changed ${touched.join(", ")}`;
  return spoilIf(seconds > secondsMax, `it worked for ${Math.round(seconds)} s`);
}

function makeStore(path: string): void {
  const database = new DatabaseSync(path);
  for (const name of ownTables) database.exec(`CREATE TABLE ${name}(x); INSERT INTO ${name} VALUES('ours')`);
  database.close();
}

async function lookAt(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder);
  const entries = names.map(
    async (name) => [name, (await readFile(join(folder, name))).toString("base64")] as const,
  );
  return new Map(await Promise.all(entries));
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 64 * 1024)
    yield bytes.subarray(start, start + 64 * 1024);
}
