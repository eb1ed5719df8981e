import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AuditList, BuildView, DatabaseList, ErrorEnvelope } from "@keyloan/contract";
import { Secret } from "@keyloan/contract";
import { s3Actions, startS3Gateway } from "@keyloan/local-servers";
import { createClient } from "@libsql/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSql } from "./testing/app-clients.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { openPage } from "./testing/open-page.ts";
import { watchUsage } from "./verbs/databases/watch-usage.ts";

const dayMs = 24 * 3_600_000;
let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso"] });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const deps = () => broker.running().deps;
const databasesOf = async (id: string) =>
  ((await broker.call("GET", `/v1/builds/${id}/databases`)).body as DatabaseList).databases;
const post = async (id: string, action: string) =>
  expect((await broker.call("POST", `/v1/builds/${id}/databases/turso/${action}`)).status).toBe(202);
const until = <T>(look: () => Promise<T>, expected: T) =>
  expect.poll(look, { timeout: 25_000, interval: 50 }).toEqual(expected);
const archive = async (id: string) => {
  await post(id, "archive");
  await until(async () => (await databasesOf(id))[0]?.state, "archived");
  await finishWork(deps(), id);
};
const restore = async (id: string) => {
  await post(id, "restore");
  await until(async () => (await databasesOf(id))[0]?.state, "active");
  await finishWork(deps(), id);
};
/** A build whose database holds what is easily lost on the way. */
const createFilled = async () => {
  const { id } = await broker.createBuild({ connectors: ["turso"] });
  const env = await broker.readEnv(id);
  await runSql(
    env,
    'CREATE TABLE "o\'dd" (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, bytes BLOB, n REAL)',
  );
  await runSql(env, 'CREATE INDEX by_text ON "o\'dd" (text)');
  await runSql(env, "CREATE TABLE users (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID");
  await runSql(
    env,
    "INSERT INTO \"o'dd\" (text, bytes, n) VALUES ('marked text', x'00ff00', 9e999), ('a' || char(0) || 'b', NULL, 0.1)",
  );
  await runSql(env, "INSERT INTO users VALUES ('Ada'), ('Grace')");
  return { id, env };
};
const rowsOf = async (env: Record<string, string>) => ({
  odd: await runSql(
    env,
    'SELECT id, hex(text) AS text, hex(bytes) AS bytes, n > 1e300 AS big FROM "o\'dd" ORDER BY id',
  ),
  users: await runSql(env, "SELECT name FROM users ORDER BY name"),
});

describe("a database at the provider", () => {
  it("comes back whole with a new name and token, and the old ones are dead", async () => {
    const { id, env } = await createFilled();
    const before = await rowsOf(env);
    const open = createClient({
      url: (env.TURSO_DATABASE_URL ?? "").replace(/^http/, "ws"),
      authToken: env.TURSO_AUTH_TOKEN ?? "",
    });
    await open.execute("SELECT 1");
    await archive(id);
    await expect(runSql(env, "SELECT 1")).rejects.toThrow();
    await expect(open.execute("SELECT name FROM users")).rejects.toThrow();
    open.close();
    await restore(id);
    const after = await broker.readEnv(id);
    expect(after.TURSO_DATABASE_URL).not.toBe(env.TURSO_DATABASE_URL);
    expect(after.TURSO_AUTH_TOKEN).not.toBe(env.TURSO_AUTH_TOKEN);
    expect(await rowsOf(after)).toEqual(before);
    await runSql(after, "INSERT INTO users VALUES ('Barbara')");
    await expect(runSql(env, "SELECT 1")).rejects.toThrow();
  });

  it("is archived when it lay idle, which looking at it does not change", async () => {
    const { id, env } = await createFilled();
    await broker.restart({ archiveAfterDays: 2 });
    const look = async () => {
      await watchUsage(deps(), AbortSignal.timeout(20_000));
      await finishWork(deps(), id);
    };
    const idleSince = async () => (await databasesOf(id))[0]?.idleSince;
    await look();
    const since = await idleSince();
    broker.advance(dayMs / 2);
    await look();
    expect(await idleSince()).toBe(since);
    await runSql(env, "SELECT count(*) FROM users");
    await look();
    expect(await idleSince()).not.toBe(since);
    await broker.call("POST", `/v1/builds/${id}/renew`, { body: { ttlSeconds: 7 * 24 * 3600 } });
    for (let half = 0; half < 5; half++) {
      broker.advance(dayMs / 2);
      await look();
    }
    expect((await databasesOf(id))[0]?.state).toBe("archived");
    await broker.restart({ archiveAfterDays: 0 });
  });

  it("leaves nothing when its build is closed", async () => {
    const { id } = await createFilled();
    await archive(id);
    const folder = join(broker.dataDirectory, "archives");
    const [row] = await deps().store.read.archives.listByBuild(id);
    expect(await readdir(folder)).toContain(row?.location);
    const closed = await broker.call("DELETE", `/v1/builds/${id}`);
    expect((closed.body as BuildView).state).toBe("closed");
    await finishWork(deps(), id);
    expect(await readdir(folder)).not.toContain(row?.location);
  });
});

describe("a download", () => {
  const read = async (answer: Response) => {
    const folder = join(broker.dataDirectory, "test-downloads");
    await mkdir(folder, { recursive: true });
    const path = join(folder, "app.db");
    await writeFile(path, new Uint8Array(await answer.arrayBuffer()));
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const names = database.prepare("SELECT name FROM users ORDER BY name").all();
      const odd = database.prepare('SELECT hex(text) AS text, n FROM "o\'dd" ORDER BY id').all();
      return { names: names.map(({ name }) => name), odd: odd.map(({ text, n }) => [text, n]) };
    } finally {
      database.close();
      await rm(folder, { recursive: true });
    }
  };
  const download = (id: string) =>
    fetch(`${broker.url}/v1/builds/${id}/databases/turso/download`, {
      headers: { authorization: `Bearer ${broker.adminToken}` },
    });
  const expected = {
    names: ["Ada", "Grace"],
    odd: [
      ["6D61726B65642074657874", Number.POSITIVE_INFINITY],
      ["610062", 0.1],
    ],
  };
  const auditOf = async (id: string) => {
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}`)).body as AuditList;
    return events.filter(({ action }) => action.startsWith("database.")).toReversed();
  };
  const leftOver = () => readdir(join(broker.dataDirectory, "downloads"));

  it("is a file that SQLite opens, from the database and from its archive alike", async () => {
    const { id, env } = await createFilled();
    const live = await download(id);
    expect(live.headers.get("content-type")).toBe("application/vnd.sqlite3");
    expect(live.headers.get("content-disposition")).toBe('attachment; filename="turso.db"');
    expect(live.headers.get("cache-control")).toBe("no-store");
    expect(await read(live)).toEqual(expected);
    await runSql(env, "INSERT INTO users VALUES ('Zoe')");
    await runSql(env, "DELETE FROM users WHERE name = 'Zoe'");
    await archive(id);
    expect(await read(await download(id))).toEqual(expected);
    expect(await leftOver()).toEqual([]);
  });

  it("leaves nothing on the disk, even while it is read", async () => {
    const { id } = await createFilled();
    const answer = await download(id);
    expect(await leftOver()).toEqual([]);
    await answer.body?.cancel();
  });

  it("is audited before it begins and when it has ended, and refused for a build that is not there", async () => {
    const { id, env } = await createFilled();
    await (await download(id)).arrayBuffer();
    await runSql(env, "CREATE VIRTUAL TABLE places USING rtree(id, x0, x1)");
    expect((await download(id)).status).toBe(502);
    expect((await auditOf(id)).map(({ action }) => action)).toEqual([
      "database.downloading",
      "database.downloaded",
      "database.downloading",
      "database.download_failed",
    ]);
    const unknown = await broker.call("GET", "/v1/builds/bld_00000000000000000000/databases/turso/download");
    expect((unknown.body as ErrorEnvelope).error.code).toBe("not_found");
  });

  it("is the user's too, on their page and for their build alone", async () => {
    const { id } = await createFilled();
    const page = await openPage(broker, id);
    const answer = await fetch(`${broker.url}/v1/settings/databases/turso/download`, {
      headers: { cookie: `keyloan_session_${id}=${page.cookie}` },
    });
    expect(await read(answer)).toEqual(expected);
    expect((await fetch(`${broker.url}/v1/settings/databases/turso/download`)).status).toBe(401);
  });
});

describe("archives in a bucket", () => {
  it("are sealed there, restore, and end with their build", async () => {
    const directory = join(broker.dataDirectory, "bucket");
    const gateway = await startS3Gateway({
      dataDirectory: directory,
      port: 0,
      buckets: ["archives"],
      resolveCredential: () => ({
        secretAccessKey: "archive-secret",
        policy: { buckets: ["archives"], prefixes: ["keyloan/"], actions: new Set(s3Actions) },
      }),
    });
    const archiveS3 = {
      url: `${gateway.url}/archives/keyloan`,
      region: "auto",
      accessKeyId: "KEY",
      secretAccessKey: Secret.of("archive-secret"),
    };
    await broker.restart({ archiveS3 });
    const objects = async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      const paths = entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
      return Promise.all(paths.map(async (path) => (await readFile(path)).toString("latin1")));
    };
    try {
      const { id, env } = await createFilled();
      const before = await rowsOf(env);
      await archive(id);
      const stored = (await objects()).join("");
      expect(stored).toContain("keyloan/stream/v1 dek_");
      expect(stored).not.toContain("marked text");
      await restore(id);
      expect(await rowsOf(await broker.readEnv(id))).toEqual(before);
      await archive(id);
      await broker.call("DELETE", `/v1/builds/${id}`);
      await finishWork(deps(), id);
      expect((await objects()).join("")).not.toContain("keyloan/stream/v1 dek_");
    } finally {
      await broker.restart({ archiveS3: undefined });
      await gateway.close();
    }
  });
});
