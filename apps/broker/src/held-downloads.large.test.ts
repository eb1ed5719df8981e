import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { AuditList, ErrorEnvelope } from "@keyloan/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runSql } from "./testing/app-clients.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso"] });
  await broker.putOrgKeys("turso");
});
afterAll(() => broker?.close());

const pathOf = (id: string) => `/v1/builds/${id}/databases/turso/download`;
const poll = { timeout: 20_000, interval: 20 };
const authorization = () => `Bearer ${broker.adminToken}`;
const download = (id: string, method = "GET") =>
  fetch(broker.url + pathOf(id), { method, headers: { authorization: authorization() } });
const made = async (id: string) => {
  const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&action=database.downloaded`))
    .body as AuditList;
  return events.length;
};

/** A build whose database is larger than what a connection holds on its way. */
async function largeBuild(): Promise<string> {
  const { id } = await broker.createBuild({ connectors: ["turso"] });
  const env = await broker.readEnv(id);
  await runSql(env, "CREATE TABLE t(a)");
  for (let row = 0; row < 16; row++) await runSql(env, "INSERT INTO t VALUES(zeroblob(1000000))");
  return id;
}

/** Asks for the file and reads nothing but the beginning of the answer. */
async function openUnread(id: string): Promise<Socket> {
  const { hostname, port } = new URL(broker.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET ${pathOf(id)} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: ${authorization()}\r\n\r\n`,
  );
  const [head] = await once(socket, "data");
  expect(String(head)).toMatch(/^HTTP\/1.1 200/);
  socket.pause();
  return socket;
}

it("a file that nobody reads is the only one of its build, and others get theirs", async () => {
  const [id, other] = [await largeBuild(), await largeBuild()];
  const first = await openUnread(id);
  const second = openUnread(id);
  // Each takes as long as the second would, which was asked for before.
  for (let time = 0; time < 2; time++) {
    expect((await (await download(other)).arrayBuffer()).byteLength).toBeGreaterThan(16_000_000);
  }
  expect(await made(id)).toBe(1);
  first.destroy();
  (await second).destroy();
  expect(await made(id)).toBe(2);
}, 60_000);

it("no file is made while too many wait for their readers, and the refusal says when to come again", async () => {
  const { id } = await broker.createBuild({ connectors: ["turso"] });
  const { heldFiles } = broker.running().deps;
  const releases = Array.from({ length: 20 }, () => heldFiles.hold(1));
  const answer = await download(id);
  const { error } = (await answer.json()) as ErrorEnvelope;
  expect([answer.status, error.code, answer.headers.get("retry-after")]).toEqual([429, "rate_limited", "30"]);
  for (const release of releases) release();
  await expect.poll(async () => (await download(id)).status, poll).toBe(200);
});

it("a file that is only asked about is not held", async () => {
  const { id } = await broker.createBuild({ connectors: ["turso"] });
  expect((await download(id, "HEAD")).status).toBe(200);
  const answer = await download(id);
  expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
});
