import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const vitestFile = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const reporterFile = fileURLToPath(new URL("./totals-reporter.ts", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "totals-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runVitest(name: string, source: string | undefined) {
  if (source !== undefined) writeFileSync(join(folder, `${name}.test.js`), source);
  const done = spawnSync(
    process.execPath,
    [
      vitestFile,
      "run",
      "--root",
      folder,
      "--globals",
      "--reporter=default",
      `--reporter=${reporterFile}`,
      name,
    ],
    { encoding: "utf8", timeout: 25_000, env: { PATH: process.env.PATH, CI: "true" } },
  );
  const lines = done.stdout.trimEnd().split("\n");
  return {
    status: done.status,
    last: lines.at(-1),
    count: lines.filter((l) => /^\d+ passed, /.test(l)).length,
  };
}

const failing = `throw new Error("does not hold");`;

test.each([
  {
    title: "passed, failed, skipped and todo tests are counted one by one",
    name: "mixed",
    source: `test("a",()=>{}); describe("d",()=>{test("b",()=>{}); test.skip("c",()=>{}); test.todo("e")}); test("f",()=>{${failing}});`,
    expected: { status: 1, last: "2 passed, 1 failed, 2 skipped", count: 1 },
  },
  {
    title: "a green run ends with the line and exit code 0",
    name: "green",
    source: `test("a",()=>{ console.log("said by a test"); });`,
    expected: { status: 0, last: "1 passed, 0 failed, 0 skipped", count: 1 },
  },
  {
    title: "a file that does not load counts as one failed test",
    name: "broken",
    source: `import "./nowhere.js"; test("a",()=>{});`,
    expected: { status: 1, last: "0 passed, 1 failed, 0 skipped", count: 1 },
  },
  {
    title: "a hook that throws counts as failed beside the tests it kept from running",
    name: "hook",
    source: `describe("d",()=>{ beforeAll(()=>{${failing}}); test("a",()=>{}); });`,
    expected: { status: 1, last: "0 passed, 1 failed, 1 skipped", count: 1 },
  },
  {
    title: "an error outside any test counts as failed",
    name: "unhandled",
    source: `test("a",()=>{ Promise.reject(new Error("nobody waits")); });`,
    expected: { status: 1, last: "1 passed, 1 failed, 0 skipped", count: 1 },
  },
  {
    title: "a run that finds no test file does not look green",
    name: "absent",
    source: undefined,
    expected: { status: 1, last: "0 passed, 1 failed, 0 skipped", count: 1 },
  },
])("$title", ({ name, source, expected }) => {
  expect(runVitest(name, source)).toEqual(expected);
});
