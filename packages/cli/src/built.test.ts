import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { version } from "@keyloan/contract/calls";
import { startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuiltCli, buildCli } from "./testing/built-cli.ts";

const execute = promisify(execFile);
let broker: WatchedKeyloan;
let buildId: string;
let built: BuiltCli;
beforeAll(async () => {
  [built, broker] = await Promise.all([buildCli(), startWatchedKeyloan()]);
  buildId = (await broker.createBuild({ connectors: ["memory-files"] })).id;
});
afterAll(async () => {
  await Promise.all([built.remove(), broker.close()]);
});

const keyloan = (args: readonly string[], node = process.execPath) =>
  execute(node, [built.bin, ...args], {
    env: { PATH: process.env.PATH, KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken },
  });

test("the built command line stands alone, without the sources", async () => {
  expect((await keyloan(["--version"])).stdout).toBe(`${version}\n`);
  expect((await keyloan(["build", "list"])).stdout).toContain(buildId);
  const run = await keyloan([
    "run",
    "--build",
    buildId,
    "--",
    "sh",
    "-c",
    "echo $MEMORY_FILES_NAME; echo $KEYLOAN_TOKEN",
  ]);
  expect(run.stdout).toBe(`${(await broker.readEnv(buildId)).MEMORY_FILES_NAME}\n\n`);
});

test("`run` alone answers help and wrong usage as the whole command line does", async () => {
  expect((await keyloan(["run", "--help"])).stdout).toContain("Usage:\n  keyloan run --build <id>");
  await expect(keyloan(["run", "--nope"])).rejects.toMatchObject({ code: 2 });
});

test("the bundles hold no schema library: types only come from the contract", async () => {
  const texts = await Promise.all(
    ["run", "cli", "env-files"].map((name) => readFile(join(built.folder, `dist/${name}.mjs`), "utf8")),
  );
  expect(texts.join("")).not.toMatch(/zod|safeParse/i);
  expect(texts[0]?.length).toBeLessThan(40_000);
});

test("the built command line checks, merges and encrypts env files", async () => {
  const [example, merged] = ["example", "merged"].map((name) => join(built.folder, name));
  await writeFile(example ?? "", "MEMORY_FILES_NAME=\n");
  const build = ["--build", buildId];
  await keyloan(["env", "pull", ...build, "--output", merged ?? "", "--merge"]);
  const checked = await keyloan(["env", "check", "--example", example ?? "", "--file", merged ?? ""]);
  expect(checked.stderr).toContain("1 of 1 variables");
  const recipient = await identityToRecipient(await generateX25519Identity());
  const encrypted = await keyloan(["env", "pull", ...build, "--age-recipient", recipient]);
  expect(encrypted.stdout).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
});

const hostNode = "/usr/bin/node";
test.skipIf(!existsSync(hostNode))(
  "a missing build is told on a Node.js that cannot run the sources",
  async () => {
    const { stdout } = await execute(hostNode, ["--version"]);
    const major = Number.parseInt(stdout.slice(1), 10);
    expect((await keyloan(["--version"], hostNode)).stdout).toBe(`${version}\n`);
    await rm(join(built.folder, "dist"), { recursive: true });
    const { stderr } = await keyloan(["--version"], hostNode).catch((error: { stderr: string }) => error);
    expect(stderr).toMatch(major < 24 ? /not built here.*\n.*pnpm build/ : /ERR_MODULE_NOT_FOUND/);
  },
);
