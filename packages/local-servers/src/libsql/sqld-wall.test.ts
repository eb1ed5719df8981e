import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "@libsql/client";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { findSqld } from "./find-sqld.ts";
import { type LibsqlServer, startLibsqlServer } from "./server.ts";
import { type SqldWall, sqldWalls, standsWall } from "./sqld-wall.ts";
import { readProcess } from "./stale-process.ts";
import { askDirect } from "./testing/ask-direct.ts";
import { createNamespaceKey, createNamespaceTokenSigner } from "./tokens.ts";

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
// As root both ways can be taken here; as another user only the second.
const ways = isRoot ? ["a user id of its own", "a namespace of its own"] : ["a namespace of its own"];

const key = createNamespaceKey();
const sign = createNamespaceTokenSigner(key);
const folders: string[] = [];
let outside: string;
let stands: readonly boolean[];

beforeAll(async () => {
  // A folder each: the first wall gives its own to another user.
  const walls = ways.flatMap((_way, index) => onlyWall(newFolder(), index));
  stands = await Promise.all(walls.map((wall) => standsWall(wall, findSqld())));
  outside = newFolder();
  writeFileSync(join(outside, "secret"), "read from outside", { mode: 0o644 });
  chmodSync(outside, 0o777);
  if (stands.includes(false))
    console.warn("SKIPPED: this platform does not let every wall around sqld be raised.");
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keyloan-wall-"));
  folders.push(folder);
  return folder;
}

describe.each(ways.map((way, index) => [way, index] as const))("behind a wall with %s", (_way, index) => {
  let server: LibsqlServer | undefined;
  const directory = newFolder();

  async function start(): Promise<LibsqlServer | undefined> {
    if (stands[index] !== true) return undefined;
    server = await startLibsqlServer({ dataDirectory: directory, walls: onlyWall(directory, index) });
    return server;
  }
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  test("the server asked directly reads, lists and writes no file but those of its folder", async (context) => {
    const started = (await start()) ?? context.skip();
    expect(started.walled).toBe(true);
    await started.admin.create("own", { jwtKey: key.publicKey });
    const secret = join(outside, "secret");
    const written = join(outside, "written");
    const asked = await askDirect(started, "own", await token(), [
      "SELECT readfile('/etc/passwd')",
      `SELECT readfile('${secret}')`,
      `SELECT readfile('/proc/self/root${secret}')`,
      `SELECT readfile('${directory}/../../${secret}')`,
      `SELECT writefile('${written}', 'x')`,
      "SELECT writefile('/written', 'x')",
      "SELECT group_concat(replace(name, '//', '/')) FROM fsdir('/') WHERE name NOT LIKE '//lib%'",
      `SELECT readfile('${directory}/metastore/data') IS NOT NULL`,
    ]);
    expect(asked.map(({ value }) => value).slice(0, 6)).toEqual(Array(6).fill(undefined));
    await expect(stat(written)).rejects.toMatchObject({ code: "ENOENT" });
    const names = (asked[6]?.value ?? "").split(",").filter((name) => !name.startsWith(directory));
    expect(names.toSorted()).toEqual(["/", "/ca.pem", "/sqld", ...ancestorsOf(directory)].toSorted());
    // It is the wall that keeps the others out: what lies behind it is read.
    expect(asked[7]?.value).toBe("1");
  });

  test("it has no rights over the machine and, as root, an id that no account has", async (context) => {
    const started = (await start()) ?? context.skip();
    const status = await readFile(`/proc/${started.pid}/status`, "utf8");
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    const [, user] = /^Uid:\t(\d+)/m.exec(status) ?? [];
    if (isRoot && index === 0) {
      expect(() => execFileSync("getent", ["passwd", user ?? ""])).toThrow();
      expect(Number(user)).toBeGreaterThan(0);
    } else expect(Number(user)).toBe(process.getuid?.());
  });

  test("a folder of before the wall is used behind it, and without it again", async (context) => {
    if (stands[index] !== true) context.skip();
    const folder = newFolder();
    for (const walls of [[], onlyWall(folder, index), [], onlyWall(folder, index)]) {
      const next = await startLibsqlServer({ dataDirectory: folder, walls });
      expect(next.walled).toBe(walls.length > 0);
      if (!(await next.admin.exists("kept"))) await next.admin.create("kept", { jwtKey: key.publicKey });
      const { port } = await next.gateway.open({ namespace: "kept" });
      const client = createClient({ url: `http://127.0.0.1:${port}`, authToken: await token("kept") });
      await client.batch(["CREATE TABLE IF NOT EXISTS t (n)", "INSERT INTO t VALUES (1)"], "write");
      client.close();
      await next.close();
    }
    const last = await startLibsqlServer({ dataDirectory: folder, walls: [] });
    const [counted] = await askDirect(last, "kept", await token("kept"), ["SELECT count(*) FROM t"]);
    expect(counted?.value).toBe("4");
    await last.close();
  });

  test("it dies when the process that started it is killed, and the pid is its own", async (context) => {
    if (stands[index] !== true) context.skip();
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `const { startLibsqlServer } = await import(${module("./server.ts")});
      const { sqldWalls } = await import(${module("./sqld-wall.ts")});
      const dataDirectory = ${JSON.stringify(directory)};
      const server = await startLibsqlServer({ dataDirectory, walls: [sqldWalls(dataDirectory)[${index}]] });
      console.log(server.pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), "line");
    expect((await readProcess(Number(line)))?.program).toMatch(/sqld$/);
    parent.kill("SIGKILL");
    await vi.waitFor(async () => expect(await readProcess(Number(line))).toBeUndefined(), { timeout: 8_000 });
  });

  test("a link that it planted in place of the pid file is not written through", async (context) => {
    if (stands[index] !== true) context.skip();
    const target = join(outside, `target-${index}`);
    writeFileSync(target, "untouched");
    const folder = newFolder();
    symlinkSync(target, join(folder, "sqld.pid"));
    const next = await startLibsqlServer({ dataDirectory: folder, walls: onlyWall(folder, index) });
    expect(await readFile(target, "utf8")).toBe("untouched");
    await next.close();
  });
});

test.skipIf(!isRoot)("an ordinary user has the wall too", async (context) => {
  const folder = newFolder();
  chownSync(folder, nobody, nobody);
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `const { startLibsqlServer } = await import(${module("./server.ts")});
    const server = await startLibsqlServer({ dataDirectory: ${JSON.stringify(folder)} });
    const { askDirect } = await import(${module("./testing/ask-direct.ts")});
    await server.admin.create("own", { jwtKey: ${JSON.stringify(key.publicKey)} });
    const asked = await askDirect(server, "own", ${JSON.stringify(await token())}, [
      "SELECT readfile('/etc/passwd')", "SELECT readfile('${outside}/secret')", "SELECT 'asked'"]);
    console.log(JSON.stringify([server.walled, ...asked.map(({ value }) => value ?? null)]));
    await server.close();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
    uid: nobody,
    gid: nobody,
    cwd: folder,
    env: {},
  });
  const line = await once(createInterface({ input: child.stdout }), "line").catch(() => undefined);
  // Its files, or this checkout, may be closed to other users.
  if (line === undefined || stands.includes(false)) return context.skip();
  expect(JSON.parse(line[0])).toEqual([true, null, null, "asked"]);
  expect(statSync(join(folder, "metastore")).uid).toBe(nobody);
});

describe("where no wall can be raised", () => {
  const broken: SqldWall = (program, args) => ({ program: "false", args: [program, ...args], env: {} });
  const missing: SqldWall = () => ({ program: "/nowhere/unshare", args: [], env: {} });

  test.each([
    ["a platform that forbids it", broken],
    ["a platform without the program", missing],
  ])("%s still has its server, which says that it has none", async (_what, wall) => {
    const folder = newFolder();
    const server = await startLibsqlServer({ dataDirectory: folder, walls: [wall] });
    expect(server.walled).toBe(false);
    expect(await server.admin.exists("none")).toBe(false);
    await server.close();
  });

  test("a system that gives no namespace any more is found out by trying", async (context) => {
    if (stands.includes(false)) context.skip();
    const folder = newFolder();
    const script = `const { startLibsqlServer } = await import(${JSON.stringify(new URL("./server.ts", import.meta.url).href)});
      const server = await startLibsqlServer({ dataDirectory: ${JSON.stringify(folder)} });
      console.log(server.walled, await server.admin.exists("none"));
      await server.close();`;
    const forbid = "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_mnt_namespaces";
    const args = ["--user", "--map-root-user", "sh", "-c", `${forbid}; exec "$@"`, "sh"];
    const printed = execFileSync("unshare", [
      ...args,
      process.execPath,
      "--input-type=module",
      "--eval",
      script,
    ]);
    expect(printed.toString().trim()).toBe("false false");
  });

  test("the next best one is tried", async (context) => {
    if (stands.includes(false)) context.skip();
    const folder = newFolder();
    const server = await startLibsqlServer({
      dataDirectory: folder,
      walls: [broken, ...onlyWall(folder, 0)],
    });
    expect(server.walled).toBe(true);
    await server.close();
  });

  test("a server that does not start for another reason is told as before, and not started without", async (context) => {
    if (stands.includes(false)) context.skip();
    const folder = newFolder();
    writeFileSync(join(folder, "metastore"), "");
    await expect(startLibsqlServer({ dataDirectory: folder })).rejects.toThrow("does not start");
    expect(readdirSync(folder)).not.toContain("dbs");
  });
});

function onlyWall(folder: string, index: number): readonly SqldWall[] {
  return sqldWalls(folder).slice(index, index + 1);
}

function ancestorsOf(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === "/" ? [] : [...ancestorsOf(parent), parent];
}

function token(namespace = "own"): Promise<string> {
  return sign({ namespace, access: "read-write", tokenId: "t" });
}
