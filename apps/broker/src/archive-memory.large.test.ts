import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runSql } from "./testing/app-clients.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

const rows = 200_000;
const heapMegabytes = 64;
const script = fileURLToPath(new URL("./testing/archive-in-little-memory.ts", import.meta.url));

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso"] });
});
afterAll(() => broker.close());

type Measured = {
  readonly rows: number;
  readonly dumpedBytes: number;
  readonly archiveBytes: number;
  readonly grownBytes: number;
  readonly archiveMs: number;
  readonly restoreMs: number;
};

const databases = (count: number) =>
  Promise.all(
    Array.from({ length: count }, () => broker.emulators.get("turso")?.createUserEnv() ?? expect.fail()),
  );

test("200,000 rows are archived and restored in the memory of a stream", { timeout: 300_000 }, async () => {
  const [full = {}, scratch = {}, back = {}] = await databases(3);
  await runSql(full, "CREATE TABLE notes (id INTEGER PRIMARY KEY, email TEXT, text TEXT)");
  const step = 20_000;
  for (let first = 1; first < rows; first += step) {
    await runSql(
      full,
      `INSERT INTO notes WITH RECURSIVE n(id) AS (SELECT ${first} UNION ALL SELECT id + 1 FROM n WHERE id < ${first + step - 1})
       SELECT id, 'user' || id || '@example.com', hex(randomblob(60)) FROM n`,
    );
  }
  const values = [full, scratch, back].map((env) => JSON.stringify(env));
  const options = [`--max-old-space-size=${heapMegabytes}`, "--max-semi-space-size=4", script, ...values];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  const measured = JSON.parse(stdout) as Measured;
  // For docs/performance.md.
  if (process.env.KEYLOAN_SHOW_MEASURES !== undefined) process.stderr.write(`${stdout}\n`);
  expect(measured.rows).toBe(rows);
  expect(measured.dumpedBytes).toBeGreaterThan(25_000_000);
  // The heap limit is the proof: what holds a whole dump, or a whole database, is killed by it.
  expect(measured.grownBytes).toBeLessThan(2 * heapMegabytes * 1024 * 1024);
});
