import { execFileSync } from "node:child_process";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTestServer, type TestDatabase, type TestServer } from "./testing/test-server.ts";

let host: TestServer;
let own: TestDatabase;

beforeEach(async () => {
  host = await startTestServer();
  own = await host.addDatabase("own");
});
afterEach(() => host.close());

async function ask(sql: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${own.url}/v2/pipeline`, {
    method: "POST",
    headers: { authorization: `Bearer ${await own.token()}` },
    body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] }),
  });
  return { status: answer.status, text: await answer.text() };
}

const waiting = { timeout: 15_000, interval: 10 };

test("a server that was killed is started again, and databases answer on their ports with keys and blocks kept", async () => {
  const blocked = await host.addDatabase("blocked");
  await host.server.admin.configure("blocked", { blockReads: true, blockWrites: true });
  await ask("CREATE TABLE notes (body)");
  await ask("INSERT INTO notes VALUES ('kept')");
  const { pid, walled } = host.server;
  process.kill(pid, "SIGKILL");
  const refusals = new Set<number>();
  await vi.waitFor(async () => {
    const { status, text } = await ask("SELECT body FROM notes");
    if (status !== 200) refusals.add(status);
    expect(text).toContain("kept");
  }, waiting);
  // 502 for what was under way or came before its end was seen, 503 from then on.
  expect([...refusals].filter((status) => status !== 502 && status !== 503)).toEqual([]);
  expect(refusals).toContain(503);
  expect(host.server.pid).not.toBe(pid);
  expect(host.server.walled).toBe(walled);
  const client = createClient({ url: blocked.url, authToken: await blocked.token() });
  await expect(client.execute("SELECT 1")).rejects.toThrow(/blocked/i);
  client.close();
});

test("an admin call that comes while it is started again waits for it", async () => {
  process.kill(host.server.pid, "SIGKILL");
  await vi.waitFor(async () => expect((await ask("SELECT 1")).status).toBe(503), waiting);
  expect(await host.server.admin.exists("own")).toBe(true);
});

test("it is started again each time", async () => {
  const pids = new Set<number>();
  for (const _time of [1, 2, 3]) {
    pids.add(host.server.pid);
    process.kill(host.server.pid, "SIGKILL");
    await vi.waitFor(async () => {
      expect(pids).not.toContain(host.server.pid);
      expect((await ask("SELECT 1")).status).toBe(200);
    }, waiting);
  }
  expect(pids.size).toBe(3);
});

test.each(["at once", "when its end was seen"])(
  "a stop that comes %s leaves no process behind",
  async (when) => {
    process.kill(host.server.pid, "SIGKILL");
    if (when !== "at once") {
      await vi.waitFor(async () => expect((await ask("SELECT 1")).status).toBe(503), waiting);
    }
    await host.server.close();
    await host.server.exited;
    const processes = execFileSync("ps", ["-eww", "-o", "args="]).toString().split("\n");
    expect(processes.filter((line) => line.includes(host.dataDirectory))).toEqual([]);
  },
);
