import { readdirSync } from "node:fs";
import { findChromium } from "@keyloan/test-kit/chromium";
import { afterAll, describe, expect, test, vi } from "vitest";
import { createBench, type LauncherRun } from "../testing/run-launcher.ts";

const bench = createBench();
/** A machine under load takes several times what a quiet one does. */
vi.setConfig({ testTimeout: 90_000 });
afterAll(() => bench.clean());

const startDemo = (env: Readonly<Record<string, string>> = {}): [LauncherRun, string] => {
  const folder = bench.folder();
  return [bench.run(["demo"], { TMPDIR: folder, ...env }), folder];
};

const hasBrowser = findChromium(process.env.CHROMIUM_PATH) !== undefined;

describe.each([
  { way: "in a browser", chromium: process.env.CHROMIUM_PATH, runs: hasBrowser },
  { way: "over HTTP where there is no browser", chromium: "", runs: true },
])("the whole flow, its handoff $way", ({ chromium, runs }) => {
  test.runIf(runs)("works, prints no secret and leaves nothing", async () => {
    const [demo, folder] = startDemo(chromium === undefined ? {} : { CHROMIUM_PATH: chromium });
    expect(await demo.exited, demo.output()).toEqual({ code: 0, signal: null });
    const lines = demo.output().trim().split("\n");
    expect(lines.at(-1)).toMatch(/^The whole flow works \(\d+\.\d s\)\.$/);
    const others = lines.slice(0, -1).filter((line) => !line.startsWith("ok  "));
    expect(others).toEqual(chromium === "" ? [expect.stringMatching(/^NO BROWSER: /)] : []);
    expect(demo.output()).toContain("A's database token is refused on B's database: answered 401");
    expect(demo.output()).toContain("A's storage key is refused on B's prefix: get, put, delete, list 403");
    expect(demo.output()).toContain(
      chromium === "" ? "the link opens over HTTP" : "the link opens in Chromium",
    );
    expect(demo.output()).toMatch(/a wrong STRIPE_SECRET_KEY is refused: "Stripe .+"/);
    expect(demo.output()).toMatch(/the lent STRIPE_SECRET_KEY is refused: "This is the key we lent you/);
    expect(demo.output()).toMatch(/the file holds no secret that was lent: [1-9]\d* compared/);
    expect(demo.output()).toMatch(/broker's files or logs: [1-9]\d* secrets, [1-9]\d* files/);
    expect(demo.output()).toMatch(
      /archived: sealed, read back, loaded elsewhere and found to be the same: [1-9]\d* bytes/,
    );
    expect(demo.output()).toMatch(
      /restored: a new database, a new token, the same rows: [1-9] tables, 5\d{3} rows/,
    );
    expect(demo.output()).toMatch(/proven equal: .*[1-9]\d* files with a signed receipt/);
    expect(demo.output()).toMatch(/proven equal: .*5\d{3} rows with a signed receipt/);
    expect(demo.output()).not.toMatch(/klo_[a-z]+_|[sr]k_(?:test|live)_|whsec_|eyJ/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test.each(["two builds: bld_", "a link to B's settings page is made"])(
  "a demo interrupted after %j says so, fails and leaves nothing",
  async (line) => {
    const [demo, folder] = startDemo();
    await vi.waitUntil(() => demo.output().includes(line), { timeout: 40_000, interval: 10 });
    demo.kill("SIGINT");
    expect((await demo.exited).code).toBe(1);
    expect(demo.output()).toContain("The demo was interrupted.");
    expect(readdirSync(folder)).toEqual([]);
  },
);

test("a demo that cannot begin names the step", async () => {
  const demo = bench.run(["demo"], { TMPDIR: "/nowhere" });
  expect((await demo.exited).code).toBe(1);
  expect(demo.output()).toContain('The demo failed at "a folder is made for the demo": ');
});
