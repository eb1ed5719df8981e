import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createNamespaceKey } from "@keyloan/local-servers";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import type { RunningEmulator } from "../kit/emulator.ts";
import { startEmulator } from "./emulator.ts";
import { type EmulatedDatabase, emulatedDatabaseSchema } from "./emulator-databases.ts";
import { createTursoSdk } from "./sdk.ts";

let stateDirectory: string;
let emulator: RunningEmulator;
const start = () => startEmulator({ stateDirectory, port: 0 });

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "keyloan-turso-"));
  emulator = await start();
});
afterEach(async () => {
  await emulator.close();
  await rm(stateDirectory, { recursive: true, force: true });
});

const createdSchema = z.object({ database: z.object({ Hostname: z.string() }) });
const path = "organizations/keyloan-dev/databases";

async function api(method: string, route: string, body?: unknown, running: { baseUrl: string } = emulator) {
  const response = await fetch(`${running.baseUrl}/v1/${route}`, {
    method,
    headers: { authorization: `Bearer ${emulator.orgFields.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: (): unknown => JSON.parse(text) };
}
const create = (name: string) => api("POST", path, { name, group: "default" });
const mint = async (name: string, query = "expiration=5m") =>
  z.object({ jwt: z.string() }).parse((await api("POST", `${path}/${name}/auth/tokens?${query}`)).json()).jwt;
const listPath = () => join(stateDirectory, "turso-databases.jsonl");
/** What is written down of a database: its newest line. */
const readRecord = async (name: string): Promise<EmulatedDatabase> => {
  const lines = (await readFile(listPath(), "utf8")).trim().split("\n");
  const entries = lines.map((line) => z.tuple([z.string(), z.unknown()]).parse(JSON.parse(line)));
  return emulatedDatabaseSchema.parse(entries.findLast(([found]) => found === name)?.[1]);
};
const writeRecord = (name: string, record: unknown) =>
  appendFile(listPath(), `${JSON.stringify([name, record])}\n`);
const statusAt = async (hostname: string, token: string) => {
  const requests = [{ type: "execute", stmt: { sql: "SELECT 1" } }, { type: "close" }];
  const init = {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ requests }),
  };
  return (await fetch(`http://${hostname}/v2/pipeline`, init)).status;
};

describe("the Platform API of the stand-in", () => {
  test.each([
    ["no token", {}],
    ["a wrong token", { authorization: "Bearer wrong" }],
    ["an empty token", { authorization: "Bearer " }],
    ["basic authentication", { authorization: "Basic a2V5" }],
  ])("refuses %s on every path", async (_what, headers) => {
    const paths = ["auth/validate", "organizations", path, `${path}/x`, "nowhere"];
    const answers = await Promise.all(
      paths.map((one) => fetch(`${emulator.baseUrl}/v1/${one}`, { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 401));
    expect(await answers[0]?.json()).toEqual({ error: expect.any(String) });
  });

  test("answers creating, reading, listing and deleting in the documented words", async () => {
    const made = await create("notes");
    expect(made.json()).toEqual({
      database: {
        DbId: expect.any(String),
        Name: "notes",
        Hostname: expect.stringMatching(/^127\.0\.0\.1:2\d{4}$/),
      },
    });
    expect(await create("notes")).toMatchObject({
      status: 409,
      text: '{"error":"database with name [notes] already exists"}',
    });
    expect((await api("GET", `${path}/notes`)).json()).toMatchObject({
      database: {
        Name: "notes",
        group: "default",
        block_reads: false,
        delete_protection: false,
        parent: null,
      },
    });
    expect((await api("GET", `${path}?group=default`)).json()).toMatchObject({
      databases: [{ Name: "notes" }],
    });
    expect((await api("GET", `${path}?group=other`)).json()).toEqual({ databases: [] });
    expect((await api("DELETE", `${path}/notes`)).json()).toEqual({ database: "notes" });
    expect(await api("DELETE", `${path}/notes`)).toMatchObject({
      status: 404,
      text: '{"error":"could not find database with name [notes]: record not found"}',
    });
  });

  test.each([
    [{ name: "Upper", group: "default" }, 400],
    [{ name: "../x", group: "default" }, 400],
    [{ name: "a".repeat(65), group: "default" }, 400],
    [{ name: "notes", group: "nowhere" }, 400],
    [{ name: "notes" }, 400],
    [undefined, 400],
    ["text", 400],
  ])("refuses to create %j", async (body, status) => {
    expect((await api("POST", path, body)).status).toBe(status);
    expect((await api("GET", path)).json()).toEqual({ databases: [] });
  });

  test.each(["expiration=soon", "expiration=", "authorization=admin"])(
    "refuses to mint with %s",
    async (query) => {
      await create("notes");
      expect((await api("POST", `${path}/notes/auth/tokens?${query}`)).status).toBe(400);
    },
  );

  test.each(["__proto__", "constructor", "toString"])("has no database named %s", async (name) => {
    expect((await api("GET", `${path}/${name}`)).status).toBe(404);
    expect((await api("DELETE", `${path}/${name}`)).status).toBe(404);
  });

  test("rotating ends every token and every open connection, with an empty answer", async () => {
    const { Hostname } = createdSchema.parse((await create("notes")).json()).database;
    const before = await mint("notes");
    const socket = new WebSocket(`ws://${Hostname}`, ["hrana2"]);
    await once(socket, "open");
    const cut = once(socket, "close");
    expect(await api("POST", `${path}/notes/auth/rotate`)).toMatchObject({ status: 200, text: "" });
    await cut;
    expect(await statusAt(Hostname, before)).toBe(401);
    expect(await statusAt(Hostname, await mint("notes"))).toBe(200);
  });

  test("a size limit is kept by the database itself", async () => {
    const made = await api("POST", path, { name: "small", group: "default", size_limit: "64kb" });
    const { Hostname } = createdSchema.parse(made.json()).database;
    const client = createClient({ url: `http://${Hostname}`, authToken: await mint("small") });
    await client.execute("CREATE TABLE t (b BLOB)");
    await expect(client.execute("INSERT INTO t VALUES (zeroblob(200000))")).rejects.toMatchObject({
      code: "SQLITE_FULL",
    });
    client.close();
  });

  test("usage counts what the database did", async () => {
    const { Hostname } = createdSchema.parse((await create("notes")).json()).database;
    const client = createClient({ url: `http://${Hostname}`, authToken: await mint("notes") });
    await client.batch(["CREATE TABLE t (n)", "INSERT INTO t VALUES (1), (2)", "SELECT * FROM t"], "write");
    client.close();
    const usageSchema = z.object({ database: z.object({ total: z.object({ rows_written: z.number() }) }) });
    await expect
      .poll(
        async () =>
          usageSchema.parse((await api("GET", `${path}/notes/usage`)).json()).database.total.rows_written,
      )
      .toBeGreaterThanOrEqual(2);
  });

  test("eight makers of one name make one database", async () => {
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => create("notes")))).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
  });

  test("the official SDK works on it unchanged", async () => {
    const { createClient: createSdk } = await import("@tursodatabase/api");
    // Our connector carries the SDK's calls from here on; a client without our transport must not notice.
    await createTursoSdk({ organization: "keyloan-dev", token: "unused" }, async () => undefined);
    const baseUrl = `${emulator.baseUrl}/v1/`;
    const sdk = createSdk({ org: "keyloan-dev", token: emulator.orgFields.token ?? "", baseUrl });
    const made = await sdk.databases.create("notes", { group: "default" });
    const { jwt } = await sdk.databases.createToken("notes", {
      expiration: "5m",
      authorization: "full-access",
    });
    expect(await statusAt(made.hostname, jwt)).toBe(200);
    expect(await sdk.databases.get("notes")).toMatchObject({ name: "notes", group: "default" });
    expect((await sdk.groups.list()).map(({ name }) => name)).toEqual(["default", "other"]);
    expect(await sdk.databases.delete("notes")).toEqual({ database: "notes" });
    await expect(sdk.databases.get("notes")).rejects.toMatchObject({ name: "TursoClientError", status: 404 });
  });
});

describe("the state of the stand-in", () => {
  test("is readable by its user alone", async () => {
    expect((await stat(stateDirectory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(stateDirectory, "turso.json"))).mode & 0o777).toBe(0o600);
    expect((await stat(listPath())).mode & 0o777).toBe(0o600);
    expect((await stat(join(stateDirectory, "libsql"))).mode & 0o777).toBe(0o700);
  });

  test("a name that comes back is another database, and old tokens stay dead", async () => {
    await create("notes");
    const before = await readRecord("notes");
    const token = await mint("notes", "");
    await api("DELETE", `${path}/notes`);
    const { Hostname } = createdSchema.parse((await create("notes")).json()).database;
    expect((await readRecord("notes")).namespace).not.toBe(before.namespace);
    expect(await statusAt(Hostname, token)).toBe(401);
  });

  test("a database that was written down but never made is forgotten at start", async () => {
    await create("notes");
    await emulator.close();
    await writeRecord("half", { ...(await readRecord("notes")), namespace: "ns-never-made" });
    emulator = await start();
    expect((await api("GET", path)).json()).toMatchObject({ databases: [{ Name: "notes" }] });
    expect((await create("half")).status).toBe(200);
  });

  test("a line that a kill cut short is left out, and any other unreadable line stops the start", async () => {
    await create("notes");
    await emulator.close();
    await appendFile(listPath(), '["half",{"id":');
    emulator = await start();
    expect((await api("GET", path)).json()).toMatchObject({ databases: [{ Name: "notes" }] });
    await emulator.close();
    const text = await readFile(listPath(), "utf8");
    await writeFile(listPath(), `broken\n${text}`);
    await expect(start()).rejects.toThrow("delete its folder to start again");
    await writeFile(listPath(), text);
    emulator = await start();
  });

  test("a key that was written down but not given to the server is given to it at start", async () => {
    const { Hostname } = createdSchema.parse((await create("notes")).json()).database;
    await emulator.close();
    await writeRecord("notes", { ...(await readRecord("notes")), ...createNamespaceKey() });
    emulator = await start();
    expect(await statusAt(Hostname, await mint("notes"))).toBe(200);
  });

  test("a database whose port was taken meanwhile moves and says so", async () => {
    const { Hostname } = createdSchema.parse((await create("notes")).json()).database;
    await emulator.close();
    const stranger = createServer().listen(Number(Hostname.split(":")[1]), "127.0.0.1");
    await once(stranger, "listening");
    emulator = await start();
    const moved = createdSchema.parse((await api("GET", `${path}/notes`)).json()).database.Hostname;
    expect(moved).not.toBe(Hostname);
    expect(await statusAt(moved, await mint("notes"))).toBe(200);
    stranger.close();
  });

  test("kill -9 while databases are made loses none that was answered and blocks none that was not", async () => {
    await emulator.close();
    const child = await startInChild();
    const names = Array.from({ length: 24 }, (_, index) => `db-${index}`);
    const answers = names.map((name) =>
      api("POST", path, { name, group: "default" }, child).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await Promise.race(answers);
    child.kill();
    const answered = (await Promise.all(answers)).map((status, index) => [names[index], status] as const);
    emulator = await start();
    const made = answered.filter(([, status]) => status === 200).map(([name]) => name);
    expect(made.length).toBeGreaterThan(0);
    const found = await Promise.all(made.map(async (name) => (await api("GET", `${path}/${name}`)).status));
    expect(found).toEqual(made.map(() => 200));
    const again = await Promise.all(names.map(async (name) => (await create(name)).status));
    expect(again.filter((status) => status !== 200 && status !== 409)).toEqual([]);
    const tokens = await Promise.all(names.map((name) => mint(name)));
    const records = await Promise.all(names.map(readRecord));
    const served = records.map(({ port }, index) => statusAt(`127.0.0.1:${port}`, tokens[index] ?? ""));
    expect(await Promise.all(served)).toEqual(names.map(() => 200));
  });
});

async function startInChild() {
  const module = new URL("./emulator.ts", import.meta.url).href;
  const script = `const { startEmulator } = await import(${JSON.stringify(module)});
    const { baseUrl } = await startEmulator({ stateDirectory: ${JSON.stringify(stateDirectory)}, port: 0 });
    console.log(baseUrl);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { baseUrl: String(line), kill: () => child.kill("SIGKILL") };
}
