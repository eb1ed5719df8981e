// Node sends the body of a GET, DELETE, OPTIONS, TRACE or HEAD without its length: the server would read it as a request of
// its own, which nobody judged, on a connection that all databases share.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawRequest, sendRaw } from "./testing/raw-http.ts";
import { startTestServer, type TestDatabase, type TestServer } from "./testing/test-server.ts";

const secret = "belongs to another";
const folder = mkdtempSync(join(tmpdir(), "keyloan-host-"));
let host: TestServer;
let own: TestDatabase;
let neighbour: TestDatabase;

beforeAll(async () => {
  writeFileSync(join(folder, "file"), secret);
  host = await startTestServer();
  own = await host.addDatabase("own");
  neighbour = await host.addDatabase("neighbour");
  const client = createClient({ url: neighbour.url, authToken: await neighbour.token() });
  await client.batch(["CREATE TABLE notes (body)", `INSERT INTO notes VALUES ('${secret}')`], "write");
  client.close();
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

const asking = (sql: string) =>
  JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] });
/** Chunks of four bytes: no refused word stands in what the gateway searches. */
const chunked = (text: string) =>
  `${(text.match(/.{1,4}/gs) ?? []).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("")}0\r\n\r\n`;
const slow =
  "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c LIMIT 600000) SELECT count(*) FROM c)";

/** A request to the server as the gateway never sends it. */
const hidden = (token: string, sql: string) =>
  `POST /v2/pipeline HTTP/1.1\r\nHost: own.db\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(asking(sql))}`;

const post = async (database: TestDatabase, sql: string) => {
  const answer = await fetch(`${database.url}/v2/pipeline`, {
    method: "POST",
    headers: { authorization: `Bearer ${await database.token()}` },
    body: asking(sql),
  });
  return answer.text();
};

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const smuggle = async (method: string, sql: string) => {
  const token = await own.token();
  return sendRaw(
    own.port,
    rawRequest(`${method} /v2/pipeline`, { Authorization: `Bearer ${token}` }, hidden(token, sql)),
  );
};

test("no file is written beside a neighbour's", async () => {
  const path = join(host.dataDirectory, "dbs/neighbour/data-wal");
  const before = (await readFile(path)).length;
  await smuggle("GET", `SELECT ${slow}, writefile('${path}.copied', 'x')`);
  await wait(700);
  expect(before).toBeGreaterThan(0);
  await expect(readFile(`${path}.copied`)).rejects.toMatchObject({ code: "ENOENT" });
});

describe.each(["GET", "DELETE", "OPTIONS", "TRACE", "HEAD"])("a body of %s", (method) => {
  test("is no second request that nobody judged: a neighbour's file is not read", async () => {
    const path = join(host.dataDirectory, "dbs/neighbour/data-wal");
    // Slow: the answer comes only when the connection is back in the gateway's pool.
    await smuggle(method, `SELECT ${slow}, replace(hex(readfile('${path}')),'x','')`);
    const got = await post(own, "SELECT 'mine'");
    expect(got).not.toContain(Buffer.from(secret).toString("hex").toUpperCase());
    expect(got).toContain("mine");
    await wait(300);
  });

  test("does not put an answer of ours into a neighbour's connection, nor theirs into ours", async () => {
    await smuggle(method, `SELECT 'forged', ${slow}`);
    const theirs = await post(neighbour, `SELECT body, ${slow} FROM notes`);
    const ours = await post(own, "SELECT 'mine'");
    await wait(300);
    expect.soft(theirs).not.toContain("forged");
    expect.soft(ours).not.toContain(secret);
    expect.soft(ours).toContain("mine");
  });
});
