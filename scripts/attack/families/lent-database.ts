import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { askWays } from "../../../packages/local-servers/src/libsql/testing/ask-ways.ts";
import { type Attack, type Family, spoilIf } from "../attack.ts";
import type { Machine } from "../machine.ts";

const mark = "what-only-the-host-knows";

/** SQL of a lent database that looks for a file of the machine. */
const texts: Readonly<Record<string, (path: string) => string>> = {
  "reads-a-file": (path) => `SELECT readfile('${path}')`,
  "hides-the-call": (path) => `SELECT "ReadFile" /* ( */\n-- (\n ('${path}')`,
  "lists-a-folder": (path) => `SELECT [data] FROM [fsdir]('${path}')`,
};

/** Of each database file, in hexadecimal: the server keeps those of all databases in one folder. */
const fileMark = Buffer.from("SQLite format 3").toString("hex").toUpperCase();
const file = "metastore/data";

/** Statements, one request each, that look for the file of other databases where no call is written. */
const sequences: Readonly<Record<string, readonly string[]>> = {
  "an-index-that-reads-behind-a-semicolon": [
    "CREATE VIRTUAL TABLE f USING fts4(a, b;, compress=trim, uncompress=readfile)",
    `INSERT INTO f(a) VALUES ('${file}')`,
    "SELECT hex(a) FROM f",
  ],
  "a-column-that-the-dump-runs": [
    `CREATE TABLE d AS SELECT 1 /* ", readfile('${file}'), " */ + 1, 2 AS "1 /* ", 3 AS " */ + 1"`,
  ],
};

const readsNeighbours = Object.entries(sequences).map(
  ([id, statements]): Attack<Machine> => ({
    id,
    run: async (machine) => {
      const { url, token } = await lend(machine);
      const ask = askWays["JSON /v2/pipeline"];
      const answers: string[] = [];
      for (const sql of statements) answers.push((await ask?.({ url, token: async () => token }, sql)) ?? "");
      const dumped = await fetch(`${url}/dump`, { headers: { authorization: `Bearer ${token}` } });
      const all = [...answers, await dumped.text()].join(" ").toUpperCase();
      return spoilIf(all.includes(fileMark), "a file of other databases was read");
    },
  }),
);

const readsMachine = Object.entries(askWays).flatMap(([way, ask]) =>
  Object.entries(texts).map(([what, sqlFor]): Attack<Machine> => {
    const id = `${what}-over-${way.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
    return {
      id,
      run: async (machine) => {
        const path = join(await machine.newFolder("host"), "secret");
        await writeFile(path, mark);
        const { url, token } = await lend(machine);
        const database = { url, token: async () => token };
        const works = await ask(database, "SELECT 'it answers'");
        if (!works.includes("it answers")) return "this way does not work at all, so it shows nothing";
        const answer = await ask(database, sqlFor(path));
        return spoilIf(answer.includes(mark), "a file of the machine was read");
      },
    };
  }),
);

export const lentDatabase: Family = {
  name: "lent-database",
  on: "machine",
  attacks: [...readsMachine, ...readsNeighbours],
};

type Lent = { readonly url: string; readonly token: string };
const databases = new WeakMap<Machine, Promise<Lent>>();

function lend(machine: Machine): Promise<Lent> {
  const known = databases.get(machine) ?? lendOne(machine);
  databases.set(machine, known);
  return known;
}

async function lendOne({ ground }: Machine): Promise<Lent> {
  const made = await ground.admin(201, "POST", "/v1/builds?wait=30", {
    name: "hostile",
    connectors: ["turso"],
  });
  const { json } = await ground.admin(200, "GET", `/v1/builds/${made.json.id}/env?format=json`);
  return { url: String(json.TURSO_DATABASE_URL), token: String(json.TURSO_AUTH_TOKEN) };
}
