import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type LibsqlServer, startLibsqlServer } from "./server.ts";
import { startSqldProcess } from "./sqld-process.ts";
import { endStaleSqld, readProcess } from "./stale-process.ts";
import { createNamespaceKey, createNamespaceTokenSigner } from "./tokens.ts";

let dataDirectory: string;
let server: LibsqlServer;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "keyloan-libsql-"));
  server = await startLibsqlServer({ dataDirectory });
});
afterEach(async () => {
  await server.close();
  await rm(dataDirectory, { recursive: true, force: true });
});

describe("the admin client", () => {
  const { publicKey: jwtKey } = createNamespaceKey();

  test("tells an existing namespace from a failure, and a missing one from a deleted one", async () => {
    await server.admin.create("a1", { jwtKey });
    await expect(server.admin.create("a1", { jwtKey })).rejects.toMatchObject({ code: "exists" });
    expect(await server.admin.exists("a1")).toBe(true);
    expect(await server.admin.delete("a1")).toBe(true);
    expect(await server.admin.delete("a1")).toBe(false);
    expect(await server.admin.exists("a1")).toBe(false);
    await expect(server.admin.settings("a1")).rejects.toMatchObject({ code: "missing" });
  });

  test("keeps every setting that a change does not name, also when changes come at once", async () => {
    await server.admin.create("a1", { jwtKey, maxDatabaseSize: "100KB" });
    const { maxDatabaseSize } = await server.admin.settings("a1");
    const { publicKey: newKey } = createNamespaceKey();
    await Promise.all([
      server.admin.configure("a1", { blockReads: true }),
      server.admin.configure("a1", { jwtKey: newKey }),
      server.admin.configure("a1", { blockWrites: true, blockReason: "closed" }),
    ]);
    expect(await server.admin.settings("a1")).toEqual({
      blockReads: true,
      blockWrites: true,
      blockReason: "closed",
      jwtKey: newKey,
      maxDatabaseSize,
    });
  });

  test.each(["create", "delete", "exists", "settings", "configure", "stats"] as const)(
    "%s refuses a name that would leave the data directory before any call",
    async (action) => {
      const calls = {
        create: () => server.admin.create("..%2f..%2fx", { jwtKey }),
        delete: () => server.admin.delete("..%2f..%2fx"),
        exists: () => server.admin.exists("..%2f..%2fx"),
        settings: () => server.admin.settings("..%2f..%2fx"),
        configure: async () => server.admin.configure("..%2f..%2fx", {}),
        stats: () => server.admin.stats("..%2f..%2fx"),
      };
      await expect(calls[action]()).rejects.toThrow("A namespace name is");
    },
  );

  test("counts what a namespace read, wrote and stores", async () => {
    const client = await openDatabase("a1");
    await client.execute("CREATE TABLE t (n)");
    await client.execute("INSERT INTO t VALUES (1), (2)");
    await client.execute("SELECT * FROM t");
    client.close();
    await vi.waitFor(async () => {
      const stats = await server.admin.stats("a1");
      expect(stats.rowsWritten).toBeGreaterThanOrEqual(2);
      expect(stats.rowsRead).toBeGreaterThanOrEqual(2);
    });
  });
});

describe("the process", () => {
  test("keeps its files to the user who runs it", async () => {
    expect((await stat(dataDirectory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDirectory, "sqld.pid"))).mode & 0o777).toBe(0o600);
  });

  test("is gone after close", async () => {
    await server.close();
    expect(await readProcess(server.pid)).toBeUndefined();
    expect(await endStaleSqld(join(dataDirectory, "sqld.pid"), dataDirectory)).toBe("none");
  });

  test("refuses a second start on the same folder and leaves the first one alone", async () => {
    await expect(startLibsqlServer({ dataDirectory })).rejects.toThrow("uses this database folder already");
    expect(await server.admin.exists("a1")).toBe(false);
  });

  test("that outlived its parent is ended by the next start, which finds its data", async () => {
    const client = await openDatabase("a1");
    await client.execute("CREATE TABLE t (n)");
    client.close();
    // Nobody starts this one again: whoever did so is gone.
    await server.close();
    const left = await startSqldProcess({ dataDirectory, log: () => {} });
    await pretendParentDied(left.pid);
    const lines: string[] = [];
    const next = await startLibsqlServer({ dataDirectory, log: (line) => lines.push(line) });
    await left.exited;
    expect(lines).toContain("ended a libSQL server of an earlier start");
    expect(await next.admin.exists("a1")).toBe(true);
    await next.close();
  });

  test("of another program that has the remembered id is not touched", async () => {
    await server.close();
    const stranger = spawn("/bin/sh", ["-c", "read -r _"], { stdio: ["pipe", "ignore", "ignore"] });
    await once(stranger, "spawn");
    await pretendParentDied(stranger.pid ?? 0);
    expect(await endStaleSqld(join(dataDirectory, "sqld.pid"), dataDirectory)).toBe("none");
    expect(stranger.exitCode).toBeNull();
    stranger.stdin?.end();
    await once(stranger, "exit");
    expect(stranger.signalCode).toBeNull();
  });

  test.each(["", "{", '{"pid":-1,"parentPid":1}', '{"pid":"1","parentPid":1}'])(
    "starts although the pid file holds %j",
    async (text) => {
      await server.close();
      await writeFile(join(dataDirectory, "sqld.pid"), text);
      server = await startLibsqlServer({ dataDirectory });
      expect(await server.admin.exists("a1")).toBe(false);
    },
  );

  test("dies when the process that started it is killed", async () => {
    await server.close();
    const module = new URL("./server.ts", import.meta.url).href;
    const script = `const { startLibsqlServer } = await import(${JSON.stringify(module)});
      const server = await startLibsqlServer({ dataDirectory: ${JSON.stringify(dataDirectory)} });
      console.log(server.pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), "line");
    expect(await readProcess(Number(line))).toBeDefined();
    parent.kill("SIGKILL");
    await vi.waitFor(async () => expect(await readProcess(Number(line))).toBeUndefined(), { timeout: 5_000 });
    server = await startLibsqlServer({ dataDirectory });
  });
});

async function openDatabase(namespace: string) {
  const key = createNamespaceKey();
  await server.admin.create(namespace, { jwtKey: key.publicKey });
  const { port } = await server.gateway.open({ namespace });
  const authToken = await createNamespaceTokenSigner(key)({ namespace, access: "read-write", tokenId: "t" });
  return createClient({ url: `http://127.0.0.1:${port}`, authToken });
}

/** A process id that is no process's parent stands for a parent that is gone. */
async function pretendParentDied(pid: number): Promise<void> {
  const path = join(dataDirectory, "sqld.pid");
  const record: object = JSON.parse(await readFile(path, "utf8").catch(() => "{}"));
  await writeFile(path, JSON.stringify({ ...record, pid, parentPid: 2_147_483_646 }));
}
