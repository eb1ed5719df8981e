import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { armor, Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunOptions, runKeyloan } from "./testing/run-keyloan.ts";

let broker: WatchedKeyloan;
let buildId: string;
/** What the build was lent. */
let lent: Record<string, string>;
let root: string;
let folder: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  buildId = (await broker.createBuild({ connectors: ["memory-files", "app-secrets"] })).id;
  lent = await broker.readEnv(buildId);
  root = mkdtempSync(join(tmpdir(), "keyloan-env-files-"));
});
afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  await broker.close();
});
beforeEach(() => {
  broker.seen.length = 0;
  folder = mkdtempSync(join(root, "run-"));
});

const keyloan = (args: readonly string[], options: RunOptions = {}) =>
  runKeyloan(args, {
    ...options,
    env: {
      KEYLOAN_URL: broker.url,
      KEYLOAN_TOKEN: broker.adminToken,
      PATH: process.env.PATH,
      ...options.env,
    },
  });
const pull = (...args: readonly string[]) => keyloan(["env", "pull", "--build", buildId, ...args]);
const bucket = () => `MEMORY_FILES_NAME=${lent.MEMORY_FILES_NAME}`;
const check = (...args: readonly string[]) => keyloan(["env", "check", ...args]);
const fileOf = (name: string, text: string | Buffer) => {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o644 });
  return file;
};

describe("env pull --merge", () => {
  test("keeps every line of the file, and a second pull changes only the block", async () => {
    const file = fileOf(".env", "# mine\r\nPORT=3000\r\n");
    expect(await pull("--output", file, "--merge")).toMatchObject({ code: 0, out: "" });
    const once = readFileSync(file, "utf8");
    expect(once.startsWith("# mine\r\nPORT=3000\r\n\r\n# >>> keyloan")).toBe(true);
    expect(once).toContain(`\r\n${bucket()}\r\n`);
    expect(once).toContain(`\r\nJWT_SECRET=${lent.JWT_SECRET}\r\n`);
    await pull("--output", file, "--merge");
    expect(readFileSync(file, "utf8")).toBe(once);
    const { id } = await broker.createBuild({ connectors: ["memory-files"] });
    const other = await broker.readEnv(id);
    await keyloan(["env", "pull", "--build", id, "--output", file, "--merge"]);
    const third = readFileSync(file, "utf8");
    expect(third).toContain("# mine\r\nPORT=3000\r\n\r\n# >>> keyloan");
    expect(third).toMatch(/\r\n# <<< keyloan <<<\r\n$/);
    expect(third).toContain(`\r\nMEMORY_FILES_NAME=${other.MEMORY_FILES_NAME}\r\n`);
    expect(third).not.toMatch(new RegExp(`JWT_SECRET|${lent.MEMORY_FILES_NAME}`));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([".env"]);
  });

  test("makes the file when there is none, and tells JSON readers where it is", async () => {
    const file = join(folder, ".env");
    expect(JSON.parse((await pull("--output", file, "--merge", "--json")).out)).toMatchObject({ file });
    expect(readFileSync(file, "utf8")).toMatch(/^# >>> keyloan[\s\S]*\n# <<< keyloan <<<\n$/);
    expect(readFileSync(file, "utf8")).toContain(`\n${bucket()}\n`);
  });

  test("leaves a file that sets the same name elsewhere, and names the line", async () => {
    const text = "PORT=3000\nMEMORY_FILES_NAME=canary\n";
    const file = fileOf(".env", text);
    const { code, err } = await pull("--output", file, "--merge");
    expect(code).toBe(1);
    expect(err.replace(/\s+/g, " ")).toContain("MEMORY_FILES_NAME (line 2)");
    expect(err).not.toContain("canary");
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test.each([
    ["unclear quotes", "A='x\n", "unclear_line"],
    ["half a block", "# <<< keyloan <<<\n", "broken_block"],
    ["bytes that are no text", Buffer.from([0x41, 0x3d, 0xff]), "file_unreadable"],
  ])("leaves a file with %s before anything is asked of the broker", async (_what, text, code) => {
    const file = fileOf(".env", text);
    const result = await pull("--output", file, "--merge", "--json");
    expect(JSON.parse(result.err)).toMatchObject({ error: { code, remedy: expect.any(String) } });
    expect(readFileSync(file)).toEqual(Buffer.from(text));
    expect(broker.seen).toHaveLength(0);
  });

  test("does not replace a symbolic link", async () => {
    const target = fileOf("target", "A=1\n");
    symlinkSync(target, join(folder, ".env"));
    const { code, err } = await pull("--output", join(folder, ".env"), "--merge");
    expect(code).toBe(1);
    expect(err).toContain("symbolic link");
    expect(readFileSync(target, "utf8")).toBe("A=1\n");
  });
});

describe("env pull --age-recipient", () => {
  test("gives a file that the identity opens, to stdout and to a file", async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const printed = await pull("--age-recipient", recipient);
    expect(await decrypt(printed.out, identity)).toBe((await pull()).out);
    const file = join(folder, "env.age");
    execFileSync("git", ["init", "--quiet", folder]);
    const written = await pull("--age-recipient", recipient, "--output", file);
    expect(written.code).toBe(0);
    expect(written.err).not.toContain("git-ignored");
    expect(await decrypt(readFileSync(file, "utf8"), identity)).toContain(`${bucket()}\n`);
    expect(readFileSync(file, "utf8")).not.toContain(lent.MEMORY_FILES_NAME);
  });

  test("a recipient that is none is refused before anything is asked of the broker", async () => {
    const { code, err } = await pull("--age-recipient", "AGE-SECRET-KEY-1CANARY");
    expect(code).toBe(1);
    expect(err).toContain("secret age identity");
    expect(err).not.toContain("CANARY");
    expect(broker.seen).toHaveLength(0);
  });
});

test.each([
  ["--merge", "--merge together with --output"],
  ["--merge --output x --format shell", "combined with --format shell"],
  ["--merge --output x --force", "combined with --force"],
  ["--merge --output x --age-recipient age1x", "combined with --force"],
  ["--json --age-recipient age1x", "needs an --output"],
  ["--name x", "together with --format kubernetes"],
])("env pull %s is wrong usage", async (line, message) => {
  const { code, err } = await pull(...line.split(" "));
  expect(code).toBe(2);
  expect(err.replace(/\s+/g, " ")).toContain(message);
  expect(broker.seen).toHaveLength(0);
});

test("the name of a Kubernetes Secret reaches the broker", async () => {
  await pull("--format", "kubernetes", "--name", "todo-app");
  expect(broker.seen[0]?.query.get("format")).toBe("kubernetes");
  expect(broker.seen[0]?.query.get("name")).toBe("todo-app");
});

describe("env check", () => {
  test("names what a file lacks and what happens then, and is exit code 1", async () => {
    const example = fileOf(".env.example", "TURSO_AUTH_TOKEN=\nPORT=\nEMPTY=x\nJWT_SECRET=\n");
    const file = fileOf(".env.production", "JWT_SECRET='canary'\nEMPTY=''\nMORE=1\n");
    const { code, out, err } = await check("--example", example, "--file", file);
    expect(code).toBe(1);
    expect(out).toContain("missing  TURSO_AUTH_TOKEN\n");
    expect(out).toContain("missing  EMPTY\n");
    expect(out).toContain("not in the example  MORE\n");
    expect(out).not.toContain("JWT_SECRET");
    expect(err).toContain("3 of 4 variables");
    expect(out + err).not.toContain("canary");
  });

  test("compares with a build, and is exit code 0 when nothing is missing", async () => {
    const example = fileOf(".env.example", "MEMORY_FILES_TOKEN=\nMEMORY_FILES_NAME=\n");
    const { code, out } = await check("--example", example, "--build", buildId, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      complete: true,
      missing: [],
      present: ["MEMORY_FILES_TOKEN", "MEMORY_FILES_NAME"],
      extra: expect.arrayContaining(["JWT_SECRET"]),
    });
    for (const value of Object.values(lent)) expect(out).not.toContain(value);
  });

  test("compares with a file when no broker answers", async () => {
    const example = fileOf(".env.example", "A=\n");
    const env = { KEYLOAN_URL: "http://127.0.0.1:1", KEYLOAN_TOKEN: "" };
    const args = ["env", "check", "--example", example, "--file", fileOf(".env", "A=1\n")];
    expect(await keyloan(args, { env })).toMatchObject({ code: 0, out: "" });
  });

  test.each([
    [[], 2, "needs an --example"],
    [["--example", "x"], 2, "--build or a --file"],
    [["--example", "x", "--build", "bld_3k9v0a5m2c7d8e4f6g1h", "--file", "y"], 2, "not both"],
    [["--example", "/nowhere/x", "--file", "y"], 1, "There is no file /nowhere/x"],
  ] as const)("%j is refused", async (args, code, message) => {
    const result = await check(...args);
    expect(result.code).toBe(code);
    expect(result.err.replace(/\s+/g, " ")).toContain(message);
  });
});

describe("env pull --format github", () => {
  test("in GitHub Actions hides each line of each value in the log, and nothing else", async () => {
    const { id } = await broker.createBuild({ connectors: ["memory-keys"] });
    const env = await broker.readEnv(id);
    const args = ["env", "pull", "--build", id, "--format", "github"];
    const { out, err } = await keyloan(args, { env: { GITHUB_ACTIONS: "true" } });
    for (const [name, value] of Object.entries(env)) {
      const [, delimiter] = new RegExp(`^${name}<<(\\S+)$`, "m").exec(out) ?? expect.fail();
      expect(out).toContain(`${name}<<${delimiter}\n${value}\n${delimiter}\n`);
    }
    const lines = Object.values(env).flatMap((value) => value.split("\n").filter((line) => line !== ""));
    expect(lines).toContain("first 100%");
    expect(err.split("\n").toSorted()).toEqual(
      ["", ...lines.map((line) => `::add-mask::${line.replaceAll("%", "%25")}`)].toSorted(),
    );
  });
});

async function decrypt(encrypted: string, identity: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(armor.decode(encrypted), "text");
}
