import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { connectors } from "@keyloan/connectors";
import type { AuditList, Connector, ErrorEnvelope } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSql } from "./testing/app-clients.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

let broker: TestBroker;
/** What the database is said to consist of, in place of what it does consist of. */
let forged: readonly string[] | undefined;

/** A dump of tables that are listed as `t`, in the words given. */
function dumpOf(texts: readonly string[]): Buffer {
  const definitions = texts.map((sql) => `s${JSON.stringify({ type: "table", name: "t", table: "t", sql })}`);
  const body = ["keyloan-libsql-dump 1", 'h{"userVersion":0,"applicationId":0}', ...definitions, ""].join(
    "\n",
  );
  const sha256 = createHash("sha256").update(body).digest("hex");
  return Buffer.from(`${body}e${JSON.stringify({ tables: 0, rows: 0, sha256 })}\n`);
}

/** Whoever writes over a page of the schema has its words come out of a dump. */
const lying = (connector: Connector): Connector => {
  const { database } = connector;
  const content = database?.content;
  if (database === undefined || content === undefined) return connector;
  const dump: typeof content.dump = async function* (...given) {
    if (forged === undefined) yield* content.dump(...given);
    else yield dumpOf(forged);
  };
  return { ...connector, database: { ...database, content: { ...content, dump } } };
};

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso"], connectors: connectors.map(lying) });
  await broker.putOrgKeys("turso");
});
afterAll(() => broker?.close());

const download = (id: string, signal?: AbortSignal) =>
  fetch(`${broker.url}/v1/builds/${id}/databases/turso/download`, {
    headers: { authorization: `Bearer ${broker.adminToken}` },
    ...(signal === undefined ? {} : { signal }),
  });
const newBuild = async () => (await broker.createBuild({ connectors: ["turso"] })).id;
const leftOver = async (): Promise<string[]> => {
  const folder = join(broker.dataDirectory, "downloads");
  return (await readdir(folder, { recursive: true }).catch(() => [])).map(String);
};
const actionsOf = async (id: string) => {
  const { events } = (await broker.call("GET", `/v1/audit?entity=${id}`)).body as AuditList;
  return events.map(({ action }) => action).filter((action) => action.startsWith("database.download"));
};

describe("text that stands in a lent database's schema", () => {
  it("does not forge a token of the broker, and its download is refused by name", async () => {
    const id = await newBuild();
    const token = `klo_api_${"f".repeat(43)}`;
    const hash = createHash("sha256").update(token).digest("hex");
    const store = join(broker.dataDirectory, "keyloan.db");
    const row = `'tok_forged','api','${hash}','forged','["builds:read","builds:write","tokens:write"]',NULL,0,1,NULL,NULL,NULL`;
    const columns = "id,kind,hash,name,scopes,build_id,single_use,created_at,expires_at,used_at,revoked_at";
    forged = [
      `CREATE TABLE t(a);COMMIT;ATTACH DATABASE ('${store}') AS k;INSERT INTO k.tokens(${columns}) VALUES(${row});DETACH k;BEGIN;--xxx`,
    ];
    try {
      const answer = await download(id);
      expect([answer.status, ((await answer.json()) as ErrorEnvelope).error]).toMatchObject([
        502,
        {
          message: expect.stringContaining('the table "t" is not a single statement'),
          remedy: expect.any(String),
        },
      ]);
    } finally {
      forged = undefined;
    }
    expect((await broker.call("GET", "/v1/builds", { token })).status).toBe(401);
    expect(await broker.running().deps.store.read.tokens.findByHash(hash)).toBeUndefined();
    expect(await actionsOf(id)).toEqual(["database.download_failed", "database.downloading"]);
    expect(await leftOver()).toEqual([]);
  });
});

describe("while a database is downloaded whose work has no end", () => {
  // Ends at the provider, whose SQLite does not know %V yet, and goes on for ever in a newer one.
  const numbers =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3 OR strftime('%V', '2026-01-05') IS NOT NULL)";
  const endless = async () => {
    const id = await newBuild();
    const env = await broker.readEnv(id);
    await runSql(env, `CREATE VIEW v AS ${numbers} SELECT i AS rowid, i AS body FROM n WHERE i < 0`);
    await runSql(env, "CREATE VIRTUAL TABLE f USING fts5(body, content='v')");
    return id;
  };

  it("others are answered, another download too, and a second of the same build waits", async () => {
    const [id, other] = [await endless(), await newBuild()];
    const giveUp = new AbortController();
    const ended: string[] = [];
    const start = (name: string) =>
      download(id, giveUp.signal)
        .catch(() => undefined)
        .then(() => ended.push(name));
    const both = [start("first"), start("second")];
    const making = async () => (await leftOver()).filter((name) => /making-[^/]+$/.test(name)).length;
    await expect.poll(making, { timeout: 20_000 }).toBe(1);
    expect((await broker.call("GET", "/health/ready")).status).toBe(200);
    expect(Object.keys(await broker.readEnv(other))).not.toEqual([]);
    const answer = await download(other);
    expect([
      answer.status,
      Buffer.from(await answer.arrayBuffer())
        .subarray(0, 15)
        .toString(),
    ]).toEqual([200, "SQLite format 3"]);
    // The first is at it still, and the second has begun nothing.
    expect([ended, await making()]).toEqual([[], 1]);
    giveUp.abort();
    await Promise.all(both);
    // The second has begun nothing, so nothing tells of a beginning.
    await expect
      .poll(() => actionsOf(id), { timeout: 20_000 })
      .toEqual(["database.download_failed", "database.downloading"]);
    expect(await leftOver()).toEqual([]);
  });
});
