import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

// The whole main job with the real command line and the real example app, each in a process of its own.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const keyloan = join(root, "packages/cli/bin/keyloan.mjs");
const example = (file: string) => join(root, "examples/notes/src", file);

let broker: TestBroker;
let token: string;
let buildId: string;
let app: ChildProcess;
let appUrl: string;

/** An environment without anything of this test run but what is named. */
const environment = (more: Record<string, string>) => ({
  PATH: process.env.PATH ?? "",
  HOME: process.env.HOME ?? "",
  ...more,
});
const cliEnvironment = () => environment({ KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: token });

async function run(parameters: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, parameters, { env, stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text.stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...text };
}

beforeAll(async () => {
  broker = await createTestBroker();
  await broker.putOrgKeys();
  buildId = (await broker.createBuild()).id;
  token = await broker.createBuildToken(buildId, { ttlSeconds: 3600 });
  app = spawn(
    process.execPath,
    [keyloan, "run", "--build", buildId, "--", process.execPath, example("main.ts")],
    {
      env: { ...cliEnvironment(), PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  appUrl = await new Promise((resolve, reject) => {
    app.once("exit", (code) => reject(new Error(`the example ended with ${code}`)));
    createInterface({ input: app.stdout ?? expect.fail() }).on("line", (line) => {
      const url = /listening on (http:\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}, 60_000);
afterAll(async () => {
  app.kill("SIGKILL");
  await broker.close();
});

describe("the example app under `keyloan run`", () => {
  it("works over HTTP with its lent database, storage, auth and payments", async () => {
    const { code, stdout, stderr } = await run([example("self-test.ts"), appUrl], environment({}));
    expect(stderr).toBe("");
    expect([code, stdout.match(/^FAIL/gm)]).toEqual([0, null]);
    expect(stdout.match(/^ok /gm)?.length).toBeGreaterThanOrEqual(6);
  });

  it("stored what it was given in its own database and under its own prefix", async () => {
    const created = await fetch(`${appUrl}/notes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "seen", text: "from outside" }),
    });
    expect(created.status).toBe(201);
    const env = await broker.readEnv(buildId);
    const { createClient } = await import("@libsql/client");
    const database = createClient({
      url: env.TURSO_DATABASE_URL ?? "",
      authToken: env.TURSO_AUTH_TOKEN ?? "",
    });
    const { rows } = await database.execute("SELECT count(*) FROM notes");
    expect(Number(rows[0]?.[0])).toBeGreaterThanOrEqual(1);
  });

  it("hands neither its token nor the broker's address to the command", async () => {
    const print = "console.log(JSON.stringify(process.env))";
    const { code, stdout } = await run(
      [keyloan, "run", "--build", buildId, "--", process.execPath, "-e", print],
      cliEnvironment(),
    );
    const seen = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(seen).toMatchObject({ TURSO_AUTH_TOKEN: expect.any(String), PATH: expect.any(String) });
    expect(Object.keys(seen).filter((name) => name.startsWith("KEYLOAN_"))).toEqual([]);
    expect(stdout).not.toContain(token);
  });

  it("ends with the exit code of the command", async () => {
    const parameters = ["run", "--build", buildId, "--", process.execPath, "-e", "process.exit(7)"];
    expect((await run([keyloan, ...parameters], cliEnvironment())).code).toBe(7);
  });

  it("writes nothing to disk", async () => {
    const before = await readdir(root);
    await run([keyloan, "run", "--build", buildId, "--", process.execPath, "-e", ""], cliEnvironment());
    expect(await readdir(root)).toEqual(before);
    const env = await broker.readEnv(buildId);
    const files = await readdir(broker.dataDirectory);
    const contents = await Promise.all(
      files.map((file) => readFile(join(broker.dataDirectory, file), "latin1")),
    );
    expect(contents.join("")).not.toContain(env.TURSO_AUTH_TOKEN);
  });

  it("says what to do when the token is of another build", async () => {
    const other = await broker.createBuild({ connectors: ["app-secrets"] });
    const { code, stderr } = await run([keyloan, "run", "--build", other.id, "--", "true"], cliEnvironment());
    expect(code).toBe(1);
    expect(stderr).toContain("A build token can only read the env of its own build");
  });

  it("passes a signal on and stops with the app", async () => {
    const closed = once(app, "exit");
    app.kill("SIGTERM");
    const [code, signal] = await closed;
    expect(code === 0 || code === 143 || signal === "SIGTERM").toBe(true);
    await expect(fetch(appUrl)).rejects.toThrow();
  });
});
