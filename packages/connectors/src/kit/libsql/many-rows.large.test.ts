import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { startTestDatabases } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let directory: string;
beforeAll(async () => {
  databases = await startTestDatabases();
  directory = await mkdtemp(join(tmpdir(), "keyloan-many-rows-"));
});
afterAll(async () => {
  await databases?.close();
  await rm(directory, { recursive: true, force: true });
});

const script = fileURLToPath(new URL("./testing/move-large.ts", import.meta.url));
const resultSchema = z.object({
  same: z.boolean(),
  tables: z.array(z.object({ name: z.string(), rows: z.number() })),
  peak: z.number(),
  seconds: z.record(z.string(), z.number()),
});
const megabyte = 1024 * 1024;

test("200,000 rows are moved in the memory that 20,000 take", { timeout: 600_000 }, async () => {
  const few = await moveRows(20_000);
  const many = await moveRows(200_000);
  expect(many.bytes).toBeGreaterThan(55 * megabyte);
  expect(many.peak - few.peak).toBeLessThan(24 * megabyte);
  const shown = Object.entries(many.seconds).map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`);
  const [size, peak] = [many.bytes, many.peak].map((bytes) => `${Math.round(bytes / megabyte)} MB`);
  console.info(`200,000 rows, ${size}: ${shown.join(", ")}; peak ${peak}`);
});

async function moveRows(rows: number) {
  const [source, target] = [await databases.add(), await databases.add()];
  await source.run(
    "CREATE TABLE notes(id INTEGER PRIMARY KEY, author TEXT, body TEXT, weight REAL, seen)",
    "CREATE INDEX notes_author ON notes(author)",
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<${rows})
      INSERT INTO notes SELECT i, 'author '||(i%977), 'the note of number '||i||' '||hex(randomblob(120)), i/7.0, i%3 FROM n`,
  );
  const path = join(directory, String(rows));
  const { code, output } = await moveWithin(64, {
    source: { address: source.address, token: source.token },
    target: { address: target.address, token: target.token },
    path,
  });
  expect(code).toBe(0);
  const result = resultSchema.parse(JSON.parse(output));
  expect(result).toMatchObject({ same: true, tables: [{ name: "notes", rows }] });
  return { ...result, bytes: (await stat(path)).size };
}

async function moveWithin(heapMegabytes: number, input: unknown): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMegabytes}`, script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  child.stdin.end(JSON.stringify(input));
  const output = await text(child.stdout);
  const [code] = await exited;
  return { code: Number(code), output };
}
