import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile as writePlain } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunOptions } from "./file-process/run-process.ts";
import { type FileLimits, usualLimits } from "./file-process/watch-process.ts";
import { type DumpParts, dumpOf, other, searchOver, table } from "./testing/dump-of.ts";
import { inPieces } from "./testing/test-databases.ts";
import { writeFile } from "./write-file.ts";

const megabyte = 1024 * 1024;
const isLinux = process.platform === "linux";
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-foreign-"));
  path = join(folder, "notes.db");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const left = () => readdir(folder);
const limited = (limits: Partial<FileLimits>): RunOptions => ({
  // The walls hold by themselves: a platform may have no shell.
  shell: false,
  limits: { ...usualLimits, ...limits },
});
const make = (parts: DumpParts, options: RunOptions = { shell: false }) =>
  writeFile("libsql", inPieces(dumpOf(parts)), path, options);
const refusal = (message: RegExp) => ({
  name: "ProviderError",
  code: "rejected",
  retryable: false,
  message: expect.stringMatching(message),
  remedy: expect.stringMatching(/^Remove it from the database/),
});

/** The ids of processes that work in a folder. */
function processesOf(place: string): string[] {
  return readdirSync("/proc").filter((id) => {
    try {
      return /^\d+$/.test(id) && readlinkSync(`/proc/${id}/cwd`).startsWith(place);
    } catch {
      return false;
    }
  });
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 14 and 15, in hundredths of a second. */
function processorSecondsOf(place: string): number {
  const [id] = processesOf(place);
  if (id === undefined) return 0;
  const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n)";
const endlessView = other(
  "view",
  "v",
  "v",
  `CREATE VIEW v AS ${endless} SELECT i AS rowid, i AS x FROM n WHERE i<0`,
);

describe("text that a database lists is data:", () => {
  test("what it would do to the store is refused by name, and the store is as it was", async () => {
    const store = join(folder, "keyloan.db");
    const database = new DatabaseSync(store);
    database.exec("CREATE TABLE tokens(hash)");
    database.close();
    const before = await readFile(store);
    const sql = `CREATE TABLE t(a);COMMIT;ATTACH DATABASE ('${store}') AS k;INSERT INTO k.tokens VALUES('forged');DETACH k;BEGIN;--xxx`;
    await expect(make({ definitions: [table("t", sql)] })).rejects.toMatchObject(
      refusal(/the definition of the table "t" is not a single statement$/),
    );
    expect((await readFile(store)).equals(before)).toBe(true);
    expect(await left()).toEqual(["keyloan.db"]);
  });

  test("names stand in a refusal as one line that no terminal acts on", async () => {
    const name = `t\u001b[31m\u202e\n"${"y".repeat(300)}`;
    const failure = await make({ definitions: [table(name, "SELECT 1")] }).catch((error: Error) => error);
    expect(failure).toMatchObject(refusal(/"t\\u001b\[31m\\u\{202e\}\\n\\"y+…"/));
    expect(String(failure)).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });

  test("what it names in a refusal are functions and modules", async () => {
    const sql = "CREATE TABLE t(x CHECK(load_extension(x)))";
    await expect(make({ definitions: [table("t", sql)] })).rejects.toMatchObject(
      refusal(/the table "t" uses the function "load_extension", which is not allowed there/),
    );
  });
});

describe("whatever its work is, a process ends that takes too much", () => {
  test.runIf(isLinux)("time, at a view that has no end", async () => {
    const parts = { definitions: [endlessView, searchOver("f", "v")] };
    // Its time is over when it has used more of the processor than its start takes.
    const workMs = () => (processorSecondsOf(folder) < 2 ? 60_000 : 0);
    await expect(make(parts, limited({ workMs }))).rejects.toMatchObject(
      refusal(/the full-text index "f" takes too long$/),
    );
    expect(await left()).toEqual([]);
  });

  test.runIf(isLinux)("memory, at many values that are each in bounds", async () => {
    const columns = Array.from(
      { length: 1000 },
      (_, index) => `c${index} AS (hex(zeroblob(1500000))) STORED`,
    );
    const parts = {
      definitions: [table("t", `CREATE TABLE t(x, ${columns.join(", ")})`)],
      rows: [{ name: "t", columns: ["x"], values: [["x"]] }],
    };
    await expect(make(parts, limited({ memoryBytes: () => 400 * megabyte }))).rejects.toMatchObject(
      refusal(/a row of the table "t" takes too much memory$/),
    );
  });

  test.runIf(isLinux)("disk, in files that have no name any more", async () => {
    const values = Array.from({ length: 100 }, (_, index) => [index]);
    const big = `CREATE VIEW v AS ${endless} SELECT DISTINCT hex(zeroblob(50000))||i AS x, i AS rowid FROM n ORDER BY x`;
    const parts = {
      definitions: [table("t"), other("view", "v", "v", big), searchOver("f", "v")],
      rows: [{ name: "t", columns: ["x"], values }],
    };
    await expect(make(parts, limited({ diskBytes: () => 60 * megabyte }))).rejects.toMatchObject({
      message: expect.stringMatching(/"f" takes too much disk space$/),
    });
    expect(await left()).toEqual([]);
  });

  test("time of ours, when the one who waits gives up", async () => {
    const parts = { definitions: [endlessView, searchOver("f", "v")] };
    const giveUp = new AbortController();
    const made = make(parts, { shell: false, signal: giveUp.signal });
    await expect.poll(left).toHaveLength(2);
    giveUp.abort(new Error("enough"));
    await expect(made).rejects.toThrow("enough");
    expect(await left()).toEqual([]);
  });

  test("and time that a dump takes to come is not its own", async () => {
    const whole = dumpOf({ definitions: [table("t")] });
    let looks = 0;
    let isGiven = false;
    const slow = async function* () {
      yield whole.subarray(0, 30);
      await expect.poll(() => looks, { timeout: 10_000 }).toBeGreaterThan(2);
      isGiven = true;
      yield whole.subarray(30);
    };
    const workMs = () => {
      looks += 1;
      return isGiven ? 60_000 : 0;
    };
    const limits = { ...usualLimits, workMs };
    await writeFile("libsql", slow(), path, { shell: false, limits });
    expect(await left()).toEqual(["notes.db"]);
  });
});

describe("nothing that the process says or leaves is believed:", () => {
  /** Runs other code in its place. */
  const instead = async (code: string, limits: Partial<FileLimits> = {}) => {
    const program = join(folder, "program.mjs");
    await writePlain(program, `import * as fs from "node:fs";\n${code}`);
    return { ...limited(limits), program };
  };
  const say = (text: string) => `fs.writeSync(1, ${JSON.stringify(text)});`;
  const died = { name: "BrokerError", code: "unavailable", remedy: expect.stringMatching(/again/) };
  const parts = {
    definitions: [table("t")],
    rows: [{ name: "t", columns: ["x"], values: [["x".repeat(500_000)]] }],
  };

  test.each([
    ["it ends at once", "process.exit(0);"],
    ["it ends with an error", "throw new Error('marked');"],
    ["it is killed", "process.kill(process.pid, 'SIGKILL');"],
    ["it says nothing", "process.stdin.resume();"],
    ["it says garbage", say("<html>\n")],
    ["it says half of an answer", say('{"made":tr')],
    ["it says that it is done, twice", say('{"made":true}\n{"made":true}\n')],
    ["it goes on after it is done", say('{"made":true}\n{"at":{"kind":"table","name":"t"}}\n')],
    ["it gives a reason of its own", say('{"reason":"because"}\n')],
    ["it gives a name that is too long", say(`{"reason":"module","uses":"${"x".repeat(300)}"}\n`)],
    ["it gives a path", say('{"made":true,"path":"/etc/passwd"}\n')],
    ["it says one line without an end", `for (;;) ${say("x".repeat(10_000))}`],
    ["it answers without an end", `for (;;) ${say('{"at":{"kind":"table","name":"t"}}\n')}`],
    ["its file is gone", `fs.rmSync("database"); ${say('{"made":true}\n')}`],
    [
      "its file is a link to another",
      `fs.rmSync("database"); fs.symlinkSync("/etc/passwd", "database"); ${say('{"made":true}\n')}`,
    ],
    ["its file is another's too", `fs.linkSync("database", "second"); ${say('{"made":true}\n')}`],
    ["its file is a folder", `fs.rmSync("database"); fs.mkdirSync("database"); ${say('{"made":true}\n')}`],
  ])("%s", async (_what, code) => {
    const failure = await make(parts, await instead(code)).catch((error: Error) => error);
    expect(failure).toMatchObject(died);
    expect(JSON.stringify(failure)).not.toContain("marked");
    expect(await left()).toEqual(["program.mjs"]);
  });

  test.runIf(isLinux)("where there is a shell, the system limits it too", async () => {
    const code = `const limits = fs.readFileSync("/proc/self/limits", "utf8");
const soft = (name) => limits.split("\\n").find((line) => line.startsWith(name)).slice(26).trim().split(/ +/)[0];
const seen = ["Max core file size", "Max cpu time", "Max file size", "Max data size"].map(soft);
fs.writeSync(1, JSON.stringify({ reason: "module", uses: seen.map((one) => one === "unlimited" ? one : one > 3600 ? "many" : one).join(" ") }) + "\\n");`;
    await expect(make(parts, { ...(await instead(code)), shell: true })).rejects.toMatchObject({
      message: expect.stringContaining('"0 3600 many many"'),
    });
  });

  test.runIf(isLinux)("whatever it has started ends with it, and holds up nobody", async () => {
    const code = `import { spawn } from "node:child_process";
spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
${say('{"at":{"kind":"view","name":"v"}}\n')}
process.exit(0);`;
    await expect(make(parts, await instead(code))).rejects.toMatchObject({
      ...died,
      message: expect.stringMatching(/, at the definition of the view "v"$/),
    });
    await expect.poll(() => processesOf(folder), { timeout: 10_000 }).toEqual([]);
  });

  test.each([
    ["reads nothing and never ends", "setInterval(() => {}, 1000);"],
    ["takes the processor for itself", "for (;;);"],
    ["says what it is at and never ends", `${say('{"at":{"kind":"view","name":"v"}}\n')} for (;;);`],
  ])("it %s", async (_what, code) => {
    const options = await instead(code, { workMs: () => 600 });
    await expect(make(parts, options)).rejects.toMatchObject(refusal(/takes too long$/));
    expect(await left()).toEqual(["program.mjs"]);
  });

  test.runIf(isLinux).each([true, false])(
    "it is given no environment and no file of ours (shell: %s)",
    async (shell) => {
      const open =
        "fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd) } catch { return '' } })";
      const code = `const seen = [Object.keys(process.env).filter((name) => !/^(?:PWD|OLDPWD|SHLVL|_)$/.test(name)).sort().join(), process.env.TMPDIR + process.env.SQLITE_TMPDIR, ${open}.filter((path) => /keyloan-foreign|\\.db/.test(path)).length];
fs.writeSync(1, JSON.stringify({ reason: "module", uses: JSON.stringify(seen) }) + "\\n");`;
      const options = { ...(await instead(code)), shell };
      const held = new DatabaseSync(join(folder, "held.db"));
      held.exec("CREATE TABLE t(x)");
      try {
        await expect(make(parts, options)).rejects.toMatchObject({
          message: expect.stringContaining(String.raw`"[\"SQLITE_TMPDIR,TMPDIR\",\"..\",0]"`),
        });
      } finally {
        held.close();
      }
    },
  );

  test.runIf(isLinux)("it ends when the one who waits is gone", async () => {
    const waiting = `import { writeFile } from ${JSON.stringify(new URL("./write-file.ts", import.meta.url).href)};
const whole = Buffer.from(process.argv[2], "base64");
await writeFile("libsql", (async function* () { yield whole; })(), process.argv[3], { shell: false });`;
    const script = join(folder, "waiting.mts");
    await writePlain(script, waiting);
    const whole = dumpOf({ definitions: [endlessView, searchOver("f", "v")] }).toString("base64");
    const waiter = spawn(process.execPath, [script, whole, path], { stdio: "inherit" });
    const works = () => processesOf(folder).length;
    await expect.poll(works, { timeout: 20_000 }).toBe(1);
    waiter.kill("SIGKILL");
    await expect.poll(works, { timeout: 20_000 }).toBe(0);
  });
});
