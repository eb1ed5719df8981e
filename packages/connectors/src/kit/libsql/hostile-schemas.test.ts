import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { showName } from "@keyloan/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Refusal, RefusedFile, refusalReasons } from "./file-process/answers.ts";
import { fillFile } from "./file-process/fill-file.ts";
import type { Step } from "./file-process/guard.ts";
import { dumpOf } from "./testing/dump-of.ts";
import { hostileSchema, ownTables } from "./testing/hostile-schemas.ts";
import { inPieces } from "./testing/test-databases.ts";
import { writeFile } from "./write-file.ts";

let folder: string;
let store: string;
let whole: Buffer;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-hostile-"));
  store = join(folder, "keyloan.db");
  const database = new DatabaseSync(store);
  for (const name of ownTables) database.exec(`CREATE TABLE ${name}(x); INSERT INTO ${name} VALUES('ours')`);
  database.close();
  whole = readFileSync(store);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Case = { readonly seed: number; readonly refusal: Refusal | undefined; readonly at: string | undefined };

/** Makes it here: what the engine lets through ends soon, as far as it ends by its size. */
async function attempt(seed: number): Promise<Case> {
  const path = join(folder, "database");
  for (const name of [path, `${path}-journal`]) rmSync(name, { force: true });
  writeFileSync(path, "");
  let at: Step | undefined;
  const dump = dumpOf(hostileSchema(seed, store));
  const refusal = await fillFile(path, inPieces(dump, 500_000), (step) => {
    at = step;
  }).then(
    () => undefined,
    (error: unknown) => (error instanceof RefusedFile ? error.refusal : expect.fail(`${seed}: ${error}`)),
  );
  return { seed, refusal, at: at?.name };
}

/** The file holds what was listed and nothing else. */
function listedIn(path: string): unknown[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    return database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  } finally {
    database.close();
  }
}

test("of 300 hostile schemas each makes what it lists, or is refused by name, and touches no other file", async () => {
  const reasons = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const { refusal, at } = await attempt(seed);
    expect(readFileSync(store).equals(whole), `${seed} changed the store`).toBe(true);
    expect(readdirSync(folder).filter((name) => !name.startsWith("database"))).toEqual(["keyloan.db"]);
    const { definitions } = hostileSchema(seed, store);
    const names = [...definitions.map(({ name }) => name), undefined];
    if (refusal === undefined) {
      const sql = new Set(definitions.map((one) => one.sql));
      const made = listedIn(join(folder, "database")) as { name: string; sql: string }[];
      const own = made.filter(({ name }) => !/_(?:data|idx|content|docsize|config)$/.test(name));
      expect(
        own.filter((one) => !sql.has(one.sql)),
        `${seed} made more`,
      ).toEqual([]);
    } else if ("reason" in refusal) {
      expect(refusalReasons).toContain(refusal.reason);
      expect(names.slice(0, -1), `${seed} was refused without a name`).toContain(at);
      reasons.add(refusal.reason);
    } else reasons.add(refusal.dump);
  }
  expect([...reasons].toSorted()).toEqual([
    "action",
    "function",
    "large_file",
    "large_value",
    "long_line",
    "module",
    "not_as_listed",
    "several",
    "unfit",
  ]);
});

test("the process tells the same of them as the engine does here", async () => {
  for (const seed of [0, 4, 8, 14]) {
    const { refusal, at } = await attempt(seed);
    const failure = await writeFile(
      "libsql",
      inPieces(dumpOf(hostileSchema(seed, store))),
      join(folder, "made.db"),
      {
        shell: false,
      },
    ).catch((error: Error) => error);
    if (refusal === undefined) expect(failure).toBeUndefined();
    else
      expect(failure).toMatchObject({ name: "ProviderError", code: "rejected", remedy: expect.any(String) });
    if (refusal !== undefined && "reason" in refusal) expect(String(failure)).toContain(showName(at ?? ""));
    rmSync(join(folder, "made.db"), { force: true });
  }
  expect(readFileSync(store).equals(whole)).toBe(true);
});
