import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connector, type DatabaseList, ProviderError } from "@keyloan/contract";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bytesText } from "./shell/show-transfers.ts";
import { runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let folder: string;
let buildId: string;
/** The name of the lent database. */
let lent: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan({ archiveAfterDays: 30 }, (connectors) => [
    ...connectors,
    ...connectors.flatMap(secondDatabase),
  ]);
});
afterAll(() => broker.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-databases-"));
  await lend("memory-database");
});
afterEach(() => {
  broker.memory.databases.anyTrouble.dump = undefined;
  broker.memory.databases.anyTrouble.load = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** The same database under another name: a build may have both. */
function secondDatabase(connector: Connector): Connector[] {
  const { spec, database } = connector;
  if (database === undefined) return [];
  const ledger = (name: string) => name.replace("DATABASE", "LEDGER");
  const access: typeof database.access = async (...given) =>
    Object.fromEntries(
      Object.entries(await database.access(...given)).map(([name, value]) => [ledger(name), value]),
    );
  const env = spec.env.map((variable) => ({ ...variable, name: ledger(variable.name) }));
  return [{ ...connector, spec: { ...spec, id: "memory-ledger", env }, database: { ...database, access } }];
}

/** A build with a table of 40 rows in its database. */
async function lend(...connectors: string[]): Promise<void> {
  buildId = (await broker.createBuild({ connectors })).id;
  lent = (await broker.readEnv(buildId)).MEMORY_DATABASE_NAME ?? "";
  broker.memory.write(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  for (let id = 1; id <= 40; id++)
    broker.memory.write(lent, `INSERT INTO notes VALUES (${id}, 'note ${id}')`);
  broker.seen.length = 0;
}

async function archived(): Promise<void> {
  const path = `/v1/builds/${buildId}/databases/memory-database/archive`;
  expect((await broker.call("POST", path)).status).toBe(202);
  await broker.finishWork();
  expect((await listed())[0]).toMatchObject({ state: "archived" });
}

const listed = async () =>
  ((await broker.call("GET", `/v1/builds/${buildId}/databases`)).body as DatabaseList).databases;
const env = () => ({ KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken });
const keyloan = (...argv: string[]) => runKeyloan(["db", ...argv], { env: env() });
const posts = () => broker.seen.filter(({ method }) => method === "POST").map(({ path }) => path);
const at = (action: string) => `/v1/builds/${buildId}/databases/memory-database/${action}`;

describe("db list", () => {
  test("shows what is used, since when it is idle, and archives", async () => {
    broker.memory.used.set(lent, 1234);
    await broker.runWork("database-usage");
    const idleSince = Date.parse((await listed())[0]?.idleSince ?? expect.fail());
    const now = () => idleSince + 20 * 86_400_000;
    const { out } = await runKeyloan(["db", "list", buildId], { env: env(), now });
    expect(out).toMatch(/memory-database +active +1234 rows +20d ago +in 10d/);
    await keyloan("archive", buildId);
    const after = await keyloan("list", buildId);
    const [archive] = (await listed())[0]?.archives ?? [];
    expect(after.out).toContain(bytesText(archive?.bytes ?? expect.fail()));
    expect(after.out).toMatch(/arc_\w+ +memory-database +verified .* 40 rows +\d/);
  });

  test("gives the broker's answer with --json", async () => {
    const { out } = await keyloan("list", buildId, "--json");
    const { databases } = JSON.parse(out) as DatabaseList;
    expect(databases).toEqual(await listed());
    expect(databases).toMatchObject([{ connector: "memory-database", state: "active", archives: [] }]);
  });

  test("says when there is none", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    expect((await keyloan("list", id)).err).toContain("no database");
  });
});

describe.each([
  ["archive", "archived"],
  ["restore", "active"],
])("db %s", (action, state) => {
  const ready = async () => {
    if (action === "restore") await archived();
  };

  test("takes the only database there is and follows it to its end", async () => {
    await ready();
    const { code, out } = await keyloan(action, buildId);
    expect([code, posts()]).toEqual([0, [at(action)]]);
    expect(out).toMatch(new RegExp(`memory-database +${state}`));
  });

  test("takes the named one, and does not wait when told", async () => {
    await lend("memory-database", "memory-ledger");
    await ready();
    const { code } = await keyloan(action, "--build", buildId, "memory-database", "--no-wait");
    expect([code, posts()]).toEqual([0, [at(action)]]);
    expect(broker.seen).toHaveLength(1);
  });

  test("does nothing when it is not clear which", async () => {
    await lend("memory-database", "memory-ledger");
    const { code, err } = await keyloan(action, buildId);
    expect([code, posts()]).toEqual([2, []]);
    expect(err).toMatch(/memory-database, memory-ledger|memory-ledger, memory-database/);
  });

  test("ends with 1 and the remedy when it did not come to be", async () => {
    await ready();
    broker.memory.databases.anyTrouble[action === "archive" ? "dump" : "load"] = () => {
      throw new ProviderError("memory", "rejected", "refuses it", { remedy: "Report it." });
    };
    const { code, err } = await keyloan(action, buildId);
    expect(code).toBe(1);
    expect(err).toMatch(/refuses it.*Report it/s);
  });
});

describe("db download", () => {
  const file = () => join(folder, "app.db");
  const download = (...more: string[]) => keyloan("download", buildId, "--out", file(), ...more);
  const whole = () => {
    const text = readFileSync(file(), "utf8");
    expect(text.split("\n").filter((line) => line.includes("note "))).toHaveLength(40);
    return text;
  };

  test("writes the file for its owner alone, and leaves nothing beside it", async () => {
    const { code, err } = await download();
    const { length } = whole();
    expect([code, err]).toEqual([0, `${bytesText(length)} are in ${file()}.\n`]);
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
    const { out } = await download("--force", "--json");
    expect(JSON.parse(out)).toMatchObject({ bytes: whole().length });
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
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const { code, err } = await keyloan("download", id, "memory-database", "--out", file());
    expect([code, readdirSync(folder)]).toEqual([1, []]);
    expect(err).toContain("Request id: req_");
  });

  test("shows how far it is on a terminal", async () => {
    const argv = ["db", "download", buildId, "--out", file()];
    const { err } = await runKeyloan(argv, { env: env(), terminal: true });
    expect(err).toContain("Downloading memory-database");
  });
});
