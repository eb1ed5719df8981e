import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseList } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { activeDatabase } from "./testing/fake-databases.ts";
import { runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
let folder: string;
beforeAll(async () => {
  broker = await startFakeBroker();
});
afterAll(() => broker.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-databases-"));
  const { holding } = broker.state;
  holding.databases.clear();
  holding.databases.set("turso", activeDatabase("turso"));
  holding.ending = "done";
  broker.seen.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const env = () => ({ KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken });
const keyloan = (...argv: string[]) => runKeyloan(["db", ...argv], { env: env() });
const posts = () => broker.seen.filter(({ method }) => method === "POST").map(({ path }) => path);
const at = (action: string) => `/v1/builds/${sampleBuildId}/databases/turso/${action}`;

describe("db list", () => {
  test("shows what is used, since when it is idle, and archives", async () => {
    const now = () => Date.parse("2026-11-21T00:00:00.000Z");
    const { out } = await runKeyloan(["db", "list", sampleBuildId], { env: env(), now });
    expect(out).toMatch(/turso +active +1234 rows +20d ago +in 10d/);
    await keyloan("archive", sampleBuildId);
    const after = await keyloan("list", sampleBuildId);
    expect(after.out).toMatch(/arc_\w+ +turso +verified .* 20000 rows +4\.1 kB/);
  });

  test("gives the broker's answer with --json", async () => {
    const { out } = await keyloan("list", sampleBuildId, "--json");
    const { databases } = JSON.parse(out) as DatabaseList;
    expect(databases).toEqual([activeDatabase("turso")]);
  });

  test("says when there is none", async () => {
    broker.state.holding.databases.clear();
    expect((await keyloan("list", sampleBuildId)).err).toContain("no database");
  });
});

describe.each([
  ["archive", "archived"],
  ["restore", "active"],
])("db %s", (action, state) => {
  test("takes the only database there is and follows it to its end", async () => {
    const { code, out } = await keyloan(action, sampleBuildId);
    expect([code, posts()]).toEqual([0, [at(action)]]);
    expect(out).toMatch(new RegExp(`turso +${state}`));
  });

  test("takes the named one, and does not wait when told", async () => {
    broker.state.holding.databases.set("neon", activeDatabase("neon"));
    const { code } = await keyloan(action, "--build", sampleBuildId, "turso", "--no-wait");
    expect([code, posts()]).toEqual([0, [at(action)]]);
    expect(broker.seen).toHaveLength(1);
  });

  test("does nothing when it is not clear which", async () => {
    broker.state.holding.databases.set("neon", activeDatabase("neon"));
    const { code, err } = await keyloan(action, sampleBuildId);
    expect([code, posts()]).toEqual([2, []]);
    expect(err).toContain("turso, neon");
  });

  test("ends with 1 and the remedy when it did not come to be", async () => {
    const { holding } = broker.state;
    holding.ending = "failed";
    if (action === "restore")
      holding.databases.set("turso", { ...activeDatabase("turso"), state: "archived" });
    const { code, err } = await keyloan(action, sampleBuildId);
    expect(code).toBe(1);
    expect(err).toMatch(/it came back changed.*Report it/s);
  });
});

describe("db download", () => {
  const file = () => join(folder, "app.db");
  const download = (...more: string[]) => keyloan("download", sampleBuildId, "--out", file(), ...more);

  test("writes the file for its owner alone, and leaves nothing beside it", async () => {
    const { code, err } = await download();
    expect([code, err]).toEqual([0, `23 B are in ${file()}.\n`]);
    expect(readFileSync(file(), "utf8")).toBe(broker.state.holding.file);
    expect((statSync(file()).mode & 0o777).toString(8)).toBe("600");
    expect(readdirSync(folder)).toEqual(["app.db"]);
  });

  test("keeps a file that exists, and asks for nothing", async () => {
    writeFileSync(file(), "mine");
    const { code, err } = await download();
    expect([code, readFileSync(file(), "utf8")]).toEqual([1, "mine"]);
    expect(err).toContain("--force");
    expect(broker.seen.some(({ path }) => path.endsWith("/download"))).toBe(false);
  });

  test("replaces it with --force", async () => {
    writeFileSync(file(), "mine");
    expect((await download("--force", "--json")).out).toContain('"bytes": 23');
    expect(readFileSync(file(), "utf8")).toBe(broker.state.holding.file);
    expect(readdirSync(folder)).toEqual(["app.db"]);
  });

  test("leaves an old file as it is when the answer is cut", async () => {
    writeFileSync(file(), "mine");
    broker.faults.push(
      () => false,
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/vnd.sqlite3", "content-length": "1000" });
        response.write("half", () => response.destroy());
        return true;
      },
    );
    const { code } = await download("--force");
    expect([code, readFileSync(file(), "utf8"), readdirSync(folder)]).toEqual([1, "mine", ["app.db"]]);
  });

  test("tells the broker's refusal, and writes nothing", async () => {
    broker.state.holding.databases.delete("turso");
    const { code } = await keyloan("download", sampleBuildId, "turso", "--out", file());
    expect([code, readdirSync(folder)]).toEqual([1, []]);
  });

  test("shows how far it is on a terminal", async () => {
    const argv = ["db", "download", sampleBuildId, "--out", file()];
    const { err } = await runKeyloan(argv, { env: env(), terminal: true });
    expect(err).toContain("Downloading turso");
  });
});
