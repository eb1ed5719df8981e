import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ci-run-"));
  mkdirSync(join(root, ".ci"));
  mkdirSync(join(root, "bin"));
  copyFileSync(fileURLToPath(new URL("../.ci/run", import.meta.url)), join(root, ".ci/run"));
  chmodSync(join(root, ".ci/run"), 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs `.ci/run` with an `npx` that notes its arguments and, for each kind of step, does as told. */
function runCi(behaviour: { test: string; browser?: string; other?: string }) {
  const npx = `#!/bin/sh
echo "CI=$CI $*" >> "${root}/calls"
case "$*" in
  *" test") ${behaviour.test} ;;
  *" test:large") echo '1 passed, 0 failed, 0 skipped' ;;
  *" test:browser") ${behaviour.browser ?? "echo '0 passed, 0 failed, 0 skipped'"} ;;
  *) ${behaviour.other ?? "exit 0"} ;;
esac
`;
  writeFileSync(join(root, "bin/npx"), npx, { mode: 0o755 });
  const done = spawnSync(join(root, ".ci/run"), {
    encoding: "utf8",
    timeout: 20_000,
    // A browser that is named is not installed.
    env: { PATH: `${join(root, "bin")}:${process.env.PATH}`, CHROMIUM_PATH: "/named" },
  });
  const lines = done.stdout.trimEnd().split("\n");
  return { status: done.status, last: lines.at(-1), lines, calls: readFileSync(join(root, "calls"), "utf8") };
}

test("all green: the test commands of the README run last, with CI set, and their totals end the output", () => {
  const { status, last, calls } = runCi({
    test: "echo said; echo '12 passed, 0 failed, 1 skipped'; exit 0",
    browser: "echo '30 passed, 0 failed, 0 skipped'",
  });
  expect([status, last]).toEqual([0, "43 passed, 0 failed, 1 skipped"]);
  expect(calls.trim().split("\n").slice(-3)).toEqual([
    "CI=true -y pnpm@12.21.0 test",
    "CI=true -y pnpm@12.21.0 run test:large",
    "CI=true -y pnpm@12.21.0 run test:browser",
  ]);
});

test("failed browser tests fail the run, and so does a run of them that dies", () => {
  const test = "echo '12 passed, 0 failed, 0 skipped'";
  expect(runCi({ test, browser: "echo '2 passed, 1 failed, 0 skipped'; exit 1" })).toMatchObject({
    ...{ status: 1, last: "15 passed, 1 failed, 0 skipped" },
  });
  expect(runCi({ test, browser: "exit 0" })).toMatchObject({
    ...{ status: 1, last: "13 passed, 1 failed, 0 skipped" },
  });
});

test("failed tests: the totals line comes last, whatever the package manager says after it", () => {
  const { status, last } = runCi({
    test: "echo '11 passed, 1 failed, 0 skipped'; echo 'Test failed.' >&2; exit 1",
  });
  expect([status, last]).toEqual([1, "12 passed, 1 failed, 0 skipped"]);
});

test("a failed check fails the run, is named, and does not keep the tests from running", () => {
  const { status, last, lines } = runCi({ test: "echo '12 passed, 0 failed, 0 skipped'", other: "exit 3" });
  expect([status, last]).toEqual([1, "13 passed, 0 failed, 0 skipped"]);
  expect(lines.at(-2)).toBe(
    "failed: [format and lint] [types] [layers] [secrets] [doc references] [build] [built broker] [start] [demo] [attack] [faults]",
  );
});

test("a test run that dies before its totals is not green", () => {
  expect(runCi({ test: "exit 0" })).toMatchObject({ status: 1, last: "1 passed, 1 failed, 0 skipped" });
});

test("a process left behind by a step does not hold up the run", () => {
  const other = `sleep 60 & echo $! >> "${root}/left"; exit 0`;
  const { status } = runCi({ test: "echo '1 passed, 0 failed, 0 skipped'", other });
  for (const id of readFileSync(join(root, "left"), "utf8").trim().split("\n")) process.kill(Number(id));
  expect(status).toBe(0);
});

test("the built broker, the start screen, the demo and some faults are tried too", () => {
  const { calls } = runCi({ test: "echo '1 passed, 0 failed, 0 skipped'" });
  expect(calls).toContain("pnpm@12.21.0 exec node scripts/check-built-broker.ts\n");
  expect(calls).toContain("pnpm@12.21.0 exec node scripts/check-start.ts\n");
  expect(calls).toContain("pnpm@12.21.0 run demo\n");
  expect(calls).toContain("pnpm@12.21.0 run faults --sample 28\n");
});
