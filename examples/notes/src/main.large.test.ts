import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { serveAnswer, serveObjects } from "./testing/servers.ts";
import { environment, priceBody, userCountBody } from "./testing/values.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function run(script: string, args: readonly string[], env: Record<string, string>) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  cleanups.push(() => child.kill("SIGKILL"));
  return child;
}

async function finish(child: ReturnType<typeof run>) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout, stderr };
}

async function startApp(userCount = userCountBody) {
  const folder = mkdtempSync(join(tmpdir(), "notes-main-"));
  const objects = await serveObjects();
  const clerk = await serveAnswer(200, "application/json", userCount);
  const stripe = await serveAnswer(200, "application/json", priceBody);
  cleanups.push(objects.close, clerk.close, stripe.close, () =>
    rmSync(folder, { recursive: true, force: true }),
  );
  const child = run("./main.ts", [], {
    ...environment,
    TURSO_DATABASE_URL: `file:${join(folder, "notes.db")}`,
    R2_ENDPOINT: objects.url,
    CLERK_API_URL: clerk.url,
    STRIPE_API_URL: stripe.url,
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1];
    if (url !== undefined) return { child, url, lines };
  }
  throw new Error(`the app did not start: ${lines.join("\n")}`);
}

test("the started app passes its self-test, and SIGTERM ends it with exit code 0", async () => {
  const { child, url, lines } = await startApp();
  expect(lines.slice(0, 4).map((line) => line.split(",")[0])).toEqual([
    "database: ok",
    "storage: ok",
    "auth: ok",
    "payments: ok",
  ]);
  const selfTest = await finish(run("./self-test.ts", [url], {}));
  expect(selfTest).toMatchObject({ code: 0, stderr: "" });
  expect(
    selfTest.stdout
      .trim()
      .split("\n")
      .map((line) => line.slice(0, 6)),
  ).toEqual(Array(7).fill("ok    "));
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

test("the self-test fails at the service that does not work and names it", async () => {
  const { url, lines } = await startApp("{}");
  expect(lines).toContain("auth: NOT WORKING, it answered something unexpected");
  const selfTest = await finish(run("./self-test.ts", [url], {}));
  expect(selfTest.code).toBe(1);
  expect(selfTest.stdout).toBe("FAIL  every service answers: auth answered something unexpected\n");
});

test("an incomplete environment ends the start with every problem listed", async () => {
  const { code, stdout, stderr } = await finish(run("./main.ts", [], { R2_BUCKET: "apps" }));
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr.trim().split("\n").length).toBeGreaterThan(10);
});

test("a database that cannot be opened ends the start with one clear sentence", async () => {
  const url = "file:/nowhere/at/all/notes.db";
  const { code, stderr } = await finish(run("./main.ts", [], { ...environment, TURSO_DATABASE_URL: url }));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^notes: cannot open and migrate the database\n {2}- TURSO_DATABASE_URL: it .+\n$/);
});

test("the self-test without an address says how it is used", async () => {
  expect(await finish(run("./self-test.ts", [], {}))).toMatchObject({ code: 2 });
});
