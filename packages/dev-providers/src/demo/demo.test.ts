import { readdirSync } from "node:fs";
import { afterAll, expect, test, vi } from "vitest";
import { createBench, type LauncherRun } from "../testing/run-launcher.ts";

const bench = createBench();
afterAll(() => bench.clean());

const startDemo = (): [LauncherRun, string] => {
  const folder = bench.folder();
  return [bench.run(["demo"], { TMPDIR: folder }), folder];
};

test("the demo goes through the whole flow, prints no secret and leaves nothing", async () => {
  const [demo, folder] = startDemo();
  expect(await demo.exited, demo.output()).toEqual({ code: 0, signal: null });
  const lines = demo.output().trim().split("\n");
  expect(lines.at(-1)).toMatch(/^The whole flow works \(\d+\.\d s\)\.$/);
  expect(lines.slice(0, -1).filter((line) => !line.startsWith("ok  "))).toEqual([]);
  expect(demo.output()).toContain("A's database token is refused on B's database: answered 401");
  expect(demo.output()).toContain("A's storage key is refused on B's prefix: get, put, delete, list 403");
  expect(demo.output()).not.toMatch(/klo_(?:admin|bld|api)_|[sr]k_test_|eyJ/);
  expect(readdirSync(folder)).toEqual([]);
});

test("an interrupted demo says so, fails and leaves nothing", async () => {
  const [demo, folder] = startDemo();
  await vi.waitUntil(() => demo.output().includes("two builds: bld_"), {
    timeout: 20_000,
    interval: 10,
  });
  demo.kill("SIGINT");
  expect((await demo.exited).code).toBe(1);
  expect(demo.output()).toContain("The demo was interrupted.");
  expect(readdirSync(folder)).toEqual([]);
});

test("a demo that cannot begin names the step", async () => {
  const demo = bench.run(["demo"], { TMPDIR: "/nowhere" });
  expect((await demo.exited).code).toBe(1);
  expect(demo.output()).toContain('The demo failed at "a folder is made for it": ');
});
