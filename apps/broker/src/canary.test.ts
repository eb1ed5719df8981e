import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runSql } from "./testing/app-clients.ts";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { callIn, createCode, openPage, type TestBrowser, type TestPage } from "./testing/open-page.ts";

// The whole flow, then a search of everything that was written or answered for every secret that took part.

let broker: TestBroker;
/** Answers that may hold nothing secret: all but env reads and the one showing of a token. */
const answers: Answer[] = [];
const secrets = new Map<string, string>();

const pageHeader = { "x-keyloan-session": "1" };
const note = (label: string, value: string) => {
  if (value.length >= 16) secrets.set(label, value);
};
const call = async (...parameters: Parameters<TestBroker["call"]>) => {
  const answer = await broker.call(...parameters);
  answers.push(answer);
  return answer;
};

beforeAll(async () => {
  broker = await createTestBroker();
  note("admin token", broker.adminToken);
  note("root key", broker.config.rootKey.reveal().split(":").at(-1) ?? "");
  for (const [id, { orgFields }] of broker.emulators) {
    for (const [name, value] of Object.entries(orgFields)) {
      if (/secret|token/i.test(name)) note(`org ${id}.${name}`, value);
    }
    const answer = await call("PUT", `/v1/org-keys/${id}`, { body: { fields: orgFields } });
    expect(answer.status).toBe(200);
    const wrong = Object.fromEntries(
      Object.entries(orgFields).map(([name, value]) => [name, wrongKey(name, value)]),
    );
    for (const [name, value] of Object.entries(wrong))
      if (/secret|token/i.test(name)) note(`wrong ${id}.${name}`, value);
    await call("PUT", `/v1/org-keys/${id}`, { body: { fields: wrong } });
  }
  const { id } = await broker.createBuild({
    connectors: [
      "turso",
      "r2",
      "clerk",
      { id: "stripe", options: { prices: [{ name: "pro", currency: "eur", unitAmount: 900 }] } },
      "app-secrets",
    ],
  });
  const token = await broker.createBuildToken(id);
  note("build token", token);
  for (const round of [1, 2]) {
    const env = await broker.readEnv(id, token);
    for (const [name, value] of Object.entries(env)) {
      if (/SECRET|TOKEN|JWT/.test(name)) note(`env ${name} ${round}`, value);
    }
    await call("POST", `/v1/builds/${id}/renew`, { body: { ttlSeconds: 200_000 * round }, token });
  }
  await provokeErrors(id, token);
  await bringOwnKeys();
  await call("GET", `/v1/builds/${id}`);
  await call("GET", "/v1/builds");
  await call("GET", "/v1/org-keys");
  await call("GET", "/v1/tokens");
  await call("GET", "/metrics");
  await call("DELETE", `/v1/builds/${id}`);
  await call("GET", "/v1/audit?limit=200");
  const made = await broker.call("POST", "/v1/tokens", { body: { name: "ci", scopes: ["builds:read"] } });
  note("api token", (made.body as { token: string }).token);
  await call("GET", "/v1/tokens");
  // A build that stays: its values lie sealed in the files when they are searched.
  const stays = await broker.createBuild();
  for (const [name, value] of Object.entries(await broker.readEnv(stays.id))) {
    if (/SECRET|TOKEN|JWT/.test(name)) note(`kept env ${name}`, value);
  }
  await archiveAndDownload();
}, 60_000);
afterAll(() => broker.close());

/** A database that stays archived, after it came back once and was downloaded. */
async function archiveAndDownload(): Promise<void> {
  const { id } = await broker.createBuild({ connectors: ["turso"] });
  const path = `/v1/builds/${id}/databases`;
  const readToken = async (label: string) => {
    const env = await broker.readEnv(id);
    note(label, env.TURSO_AUTH_TOKEN ?? "");
    return env;
  };
  const content = "what-a-user-stored-0123456789";
  note("archived content", content);
  const env = await readToken("env of the archived database");
  await runSql(env, "CREATE TABLE notes (text)");
  await runSql(env, `INSERT INTO notes VALUES ('${content}')`);
  const until = (state: string) =>
    vi.waitFor(async () => expect((await call("GET", path)).text).toContain(`"state":"${state}"`), {
      timeout: 20_000,
    });
  await call("POST", `${path}/turso/archive`);
  await until("archived");
  expect((await broker.call("GET", `${path}/turso/download`)).text).toContain(content);
  await call("GET", `/v1/builds/${id}/env`);
  await call("POST", `${path}/turso/restore`);
  await until("active");
  await readToken("env of the restored database");
  await call("POST", `${path}/turso/archive`);
  await until("archived");
}

/** The settings page's whole way, with keys in the clear and sealed, right and wrong. */
async function bringOwnKeys(): Promise<void> {
  const { id } = await broker.createBuild();
  const code = await createCode(broker, id);
  note("handoff code", code);
  await call("POST", "/v1/session", { token: null, body: { code } });
  await call("POST", "/v1/session", {
    token: null,
    body: { code: `${code.slice(0, -4)}AAAA` },
    headers: pageHeader,
  });
  const page = await openPage(broker, id);
  note("session cookie", page.cookie);
  const keep = async (answer: Promise<Answer>) => answers.push(await answer);
  for (const [connector, emulator] of broker.emulators) {
    const values = (await emulator.createUserEnv?.({ mode: "live" })) ?? {};
    for (const [name, value] of Object.entries(values)) {
      if (/SECRET|TOKEN/.test(name)) note(`own ${name}`, value);
    }
    const path = `/v1/settings/keys/${connector}`;
    const wrong = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, wrongKey(name, value)]),
    );
    await keep(page.call("POST", `${path}/validate`, { submission: { values: wrong } }));
    await keep(page.call("POST", `${path}/validate`, { submission: await page.seal(values) }));
    const submission = connector === "turso" ? { values } : await page.seal(values);
    const saved = await page.call("PUT", path, { submission, expectedVersion: await page.version() });
    // The first one shows the recovery code and sets the person's cookie, once.
    const { recovery } = saved.body as { recovery?: { code: string } };
    if (recovery === undefined) answers.push(saved);
    else note("recovery code", recovery.code);
  }
  await page.save("app-secrets", {});
  await provePerson(id, page);
  await keep(page.call("GET", "/v1/settings"));
  await keep(page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() }));
  await keep(page.call("GET", "/v1/settings/env-file?preview=true"));
  const file = await page.call("GET", "/v1/settings/env-file?format=json");
  for (const [name, value] of Object.entries(file.body as Record<string, string>)) {
    if (/^(?:JWT|CHECKOUT)/.test(name)) note(`generated ${name}`, value);
  }
  await keep(page.call("POST", "/v1/settings/finish", { expectedVersion: await page.version() }));
}

/** Every way to prove who the person is, right and wrong, and starting over that is refused. */
async function provePerson(id: string, page: TestPage): Promise<void> {
  const open = (body: object, browser: TestBrowser) =>
    callIn(broker, browser, "POST", "/v1/session", { body });
  const code = secrets.get("recovery code") ?? "";
  note("person cookie", page.browser.get("keyloan_person") ?? "");
  const other: TestBrowser = new Map();
  await open({ recovery: code }, other);
  note("second person cookie", other.get("keyloan_person") ?? "");
  answers.push(await open({ recovery: `${code.slice(0, -1)}u` }, new Map()));
  answers.push(await callIn(broker, page.browser, "GET", "/v1/person"));
  const stranger = await openPage(broker, id);
  answers.push(await stranger.call("GET", "/v1/settings"));
  answers.push(await stranger.call("POST", "/v1/settings/start-over"));
  answers.push(await page.call("DELETE", "/v1/settings/start-over"));
  const renewed = await page.call("POST", "/v1/settings/recovery");
  note("renewed recovery code", (renewed.body as { code: string }).code);
  answers.push(await open({ recovery: code }, new Map()));
  answers.push(await broker.call("GET", `/v1/builds/${id}/sessions`));
  answers.push(await broker.call("GET", `/v1/builds/${id}/tokens`));
}

/** A key of the same shape that is not the right one. */
function wrongKey(name: string, value: string): string {
  return /secret|token/i.test(name) ? value.slice(0, -8) + [...value.slice(-8)].reverse().join("") : value;
}

async function provokeErrors(id: string, token: string): Promise<void> {
  for (const { faults } of broker.emulators.values()) {
    for (const fault of [
      { kind: "status", status: 500, body: "provider words" },
      { kind: "status", status: 403, body: "provider words" },
      { kind: "cut" },
    ] as const) {
      faults.add(fault);
      await call("POST", `/v1/builds/${id}/renew`, { body: { ttlSeconds: 604_800 } });
      faults.clear();
    }
  }
  await call("GET", `/v1/builds/${id}/env?format=nope`, { token });
  await call("GET", "/v1/builds/bld_00000000000000000000/env", { token });
  await call("GET", `/v1/builds?state=${encodeURIComponent(token)}`);
  await call("POST", "/v1/builds", { body: `{"name": "${token}" broken` });
  await call("POST", "/v1/builds", { body: { name: "x", secret: token } });
}

/** Secrets as they could have been written: as they are, in base64, or JSON-escaped. */
function findSecrets(where: string, content: Buffer): string[] {
  return [...secrets].flatMap(([label, value]) =>
    [value, Buffer.from(value).toString("base64").replace(/=+$/, "").slice(0, -2)]
      .filter((form) => content.includes(form))
      .map(() => `${label} in ${where}`),
  );
}

describe("canary", () => {
  it("takes part with every kind of secret", () => {
    expect([...secrets.keys()]).toEqual(
      expect.arrayContaining([
        "admin token",
        "root key",
        "build token",
        "api token",
        "org turso.token",
        "org r2.secretAccessKey",
        "env TURSO_AUTH_TOKEN 1",
        "env R2_SECRET_ACCESS_KEY 1",
        "env R2_SESSION_TOKEN 2",
        "env CLERK_SECRET_KEY 1",
        "env STRIPE_SECRET_KEY 1",
        "env JWT_SECRET 1",
        "kept env JWT_SECRET",
        "handoff code",
        "session cookie",
        "recovery code",
        "renewed recovery code",
        "person cookie",
        "second person cookie",
        "own TURSO_AUTH_TOKEN",
        "own STRIPE_SECRET_KEY",
        "generated JWT_SECRET",
        "archived content",
        "env of the restored database",
      ]),
    );
  });

  it("is in no log line", () => {
    expect(broker.logs.length).toBeGreaterThan(20);
    expect(findSecrets("the log", Buffer.from(broker.logs.join("\n")))).toEqual([]);
  });

  it("is in no answer besides the env and the showing of a token, and in no header", () => {
    expect(answers.length).toBeGreaterThan(20);
    const text = answers.map((answer) => `${answer.text}\n${JSON.stringify([...answer.headers])}`).join("\n");
    expect(findSecrets("an answer", Buffer.from(text))).toEqual([]);
    expect(text).not.toContain("provider words");
  });

  it("is in no file of the store, its write-ahead log and its archives included", async () => {
    const entries = await readdir(broker.dataDirectory, { recursive: true, withFileTypes: true });
    const files = entries.flatMap((entry) =>
      entry.isFile() ? [relative(broker.dataDirectory, join(entry.parentPath, entry.name))] : [],
    );
    const archive = expect.stringMatching(/^archives.arc_/);
    expect(files).toEqual(expect.arrayContaining(["keyloan.db", "keyloan.db-wal", archive]));
    const found = await Promise.all(
      files.map(async (name) => findSecrets(name, await readFile(join(broker.dataDirectory, name)))),
    );
    expect(found.flat()).toEqual([]);
  });
});
