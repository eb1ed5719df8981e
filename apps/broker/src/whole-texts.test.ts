import { createHash, randomBytes } from "node:crypto";
import type { AuditVerification, BuildView } from "@keyloan/contract";
import { Secret } from "@keyloan/contract";
import { createRootKey } from "@keyloan/vault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryBroker, type MemoryBroker, ownValues } from "./testing/memory-broker.ts";
import { callIn, openPage, openPageBy, recoveryCodeOf, type TestPage } from "./testing/open-page.ts";
import { createStoreWriter, type StoreWriter } from "./testing/store-writer.ts";
import { sweepExpired } from "./verbs/builds/sweep-expired.ts";
import { sweepStartOvers } from "./verbs/person/execute-start-over.ts";

// The engine ends a text at its first NUL where it is read, not where it is compared, and the process at one that is no
// UTF-8. Whoever writes to the store can write both.
let memory: MemoryBroker;
let writer: StoreWriter;
let id: string;
beforeEach(async () => {
  memory = await createMemoryBroker();
  writer = await createStoreWriter(memory.broker.dataDirectory);
  ({ id } = await memory.broker.createBuild({ connectors: ["memory-files"], ttlSeconds: 604_800 }));
});
afterEach(() => memory.close());

const call = (method: string, path: string, options?: Parameters<typeof memory.broker.call>[2]) =>
  memory.broker.call(method, path, options);
const verify = async (head?: string) =>
  (await call("POST", "/v1/audit/verify", { body: head === undefined ? {} : { head } }))
    .body as AuditVerification;
const ownToken = ownValues["memory-files"].MEMORY_FILES_TOKEN;
const makeToken = async () =>
  (await call("POST", "/v1/tokens", { body: { name: "made", scopes: ["builds:read"] } })).body as {
    readonly id: string;
    readonly token: string;
  };
async function savedPage(): Promise<{ readonly page: TestPage; readonly code: string }> {
  const page = await openPage(memory.broker, id);
  return { page, code: recoveryCodeOf(await page.save("memory-files", ownValues["memory-files"])) };
}
const lengthen = (table: string, columns: readonly string[], where: string) =>
  writer.run(
    `UPDATE ${table} SET ${columns.map((name) => `${name} = ${name} || char(0)`).join(", ")} WHERE ${where}`,
  );

describe("a NUL behind a text that is proven", () => {
  it("is told by verify when it hides rows of the audit from a list", async () => {
    await memory.broker.readEnv(id);
    const { signed } = (await call("GET", "/v1/audit/head")).body as { readonly signed: string };
    await lengthen("audit_events", ["entity"], "action = 'env.read'");
    expect(await verify(signed)).toMatchObject({ verdict: "broken" });
  });

  it.each([
    [
      "their no",
      (page: TestPage) => page.change("POST", "/v1/settings/preview", { preview: { "memory-files": false } }),
    ],
    ["their finish", (page: TestPage) => page.change("POST", "/v1/settings/finish")],
    ["nothing", async () => memory.broker.advance(25 * 3_600_000)],
  ])("in a binding gives nobody the user's values, after %s", async (_what, say) => {
    const { page } = await savedPage();
    await page.change("POST", "/v1/settings/swap", { preview: { "memory-files": true } });
    expect((await call("GET", `/v1/builds/${id}/env`)).text).toContain(ownToken);
    await lengthen("bindings", ["connector_id"], `build_id = '${id}'`);
    await say(page);
    await writer.run("UPDATE builds SET lending_ended_at = NULL, revertible_until = 9000000000000");
    expect((await call("GET", `/v1/builds/${id}/env`)).text).not.toContain(ownToken);
  });

  it("in a start over replaces nobody who could not see it", async () => {
    await savedPage();
    const stranger = await openPage(memory.broker, id);
    expect((await stranger.call("POST", "/v1/settings/start-over")).status).toBe(200);
    await lengthen("start_overs", ["build_id"], `build_id = '${id}'`);
    memory.broker.advance(24 * 3_600_000 + 1_000);
    expect(await sweepStartOvers(memory.broker.running().deps)).toBe(0);
    expect(await writer.rows(`SELECT id FROM user_keys WHERE build_id = '${id}'`)).toHaveLength(1);
  });

  it.each([["kind"], ["id"]])("in the %s of a token lets it in nowhere", async (column) => {
    const made = await makeToken();
    expect((await call("GET", "/v1/builds", { token: made.token })).status).toBe(200);
    await lengthen("tokens", [column], `id = '${made.id}'`);
    expect((await call("GET", "/v1/builds", { token: made.token })).status).toBe(401);
  });

  it("in a second row keeps no token from being revoked", async () => {
    const made = await makeToken();
    const row = await writer.only(`SELECT * FROM tokens WHERE id = '${made.id}'`);
    await lengthen("tokens", ["id"], `id = '${made.id}'`);
    await writer.insert("tokens", { ...row, hash: `${row.hash}\0` });
    await call("DELETE", `/v1/tokens/${made.id}`);
    expect((await call("GET", "/v1/builds", { token: made.token })).status).toBe(401);
  });

  it("keeps no visit and no copied cookie from ending with a new recovery code", async () => {
    const { page, code } = await savedPage();
    const other = await openPageBy(memory.broker, { recovery: code });
    expect((await other.settings()).person.standing).toBe("you");
    await lengthen("sessions", ["person_id", "build_id"], "opened_by = 'recovery'");
    const copy = page.browser.get("keyloan_person") ?? expect.fail();
    const hash = createHash("sha256").update(copy).digest("hex");
    const person = await writer.only(`SELECT * FROM persons WHERE build_id = '${id}'`);
    const known = await writer.only(`SELECT * FROM person_browsers WHERE hash = '${hash}'`);
    const twin = { id: `${person.id}\0`, build_id: `${id}\0`, recovery_hash: `${person.recovery_hash}\0` };
    await writer.insert("persons", { ...person, ...twin });
    await writer.insert("person_browsers", { ...known, person_id: twin.id });
    expect((await page.call("POST", "/v1/settings/recovery", {})).status).toBe(201);
    expect((await other.call("GET", "/v1/settings")).status).toBe(401);
    const browser = new Map([["keyloan_person", copy]]);
    expect(
      (await callIn(memory.broker, browser, "POST", "/v1/session", { body: { buildId: id } })).status,
    ).not.toBe(201);
  });
});

describe("rows that no id of ours names", () => {
  const ids = [
    ["a NUL", "'x' || char(0) || i"],
    ["other letters", "'x!' || i"],
    ["no UTF-8", "'x' || CAST(x'ff' AS TEXT) || i"],
  ];
  async function multiply(table: string, where: string, changes: Record<string, string>): Promise<void> {
    const names = (await writer.rows(`SELECT name FROM pragma_table_info('${table}')`)).map(({ name }) =>
      String(name),
    );
    const values = names.map((name) => changes[name] ?? name).join(", ");
    await writer.run(`INSERT INTO ${table} (${names.join(", ")})
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT ${values} FROM ${table}, n WHERE ${where}`);
  }

  it.each(ids)("keep no build from ending: %s", async (_what, named) => {
    await multiply("builds", `id = '${id}'`, { id: named, expires_at: "1" });
    memory.broker.advance(605_000_000);
    for (let round = 0; round < 5; round++) await sweepExpired(memory.broker.running().deps);
    const { state } = (await call("GET", `/v1/builds/${id}`)).body as BuildView;
    expect(["closing", "closed"]).toContain(state);
  });

  it.each(ids)(
    "keep no data key from being wrapped anew, and no rehearsal from its end: %s",
    async (_what, named) => {
      const before = memory.broker.config.rootKey;
      await multiply("data_keys", "owner_id LIKE 'org_%'", {
        id: named,
        owner_id: "'y' || i",
        wrapped: "'v1.AAAA'",
      });
      const rootKey = Secret.of(`${createRootKey(randomBytes).line.reveal()}\n${before.reveal()}`);
      await memory.broker.restart({ rootKey });
      const { kid } = await writer.only(`SELECT kid FROM data_keys WHERE owner_id = '${id}'`);
      await call("POST", "/v1/root-key/rewrap");
      expect(
        await writer.rows(`SELECT id FROM data_keys WHERE owner_id = '${id}' AND kid = '${kid}'`),
      ).toEqual([]);
      expect((await call("POST", "/v1/rollback/rehearsals")).status).toBeLessThan(500);
    },
  );

  it("end a rehearsal where a time is none", async () => {
    await writer.run(`UPDATE builds SET state = 'handing_off', created_at = -1e300 WHERE id = '${id}'`);
    expect((await call("POST", "/v1/rollback/rehearsals")).status).toBeLessThan(500);
  });
});

describe("a text that is no UTF-8 ends nothing", () => {
  const broken = "CAST(x'ff' AS TEXT)";
  it.each([
    ["a build's name", `UPDATE builds SET name = ${broken}`, "/v1/builds"],
    [
      "a job's error",
      `UPDATE jobs SET last_error = ${broken}, state = 'waiting', run_after = 0, locked_by = NULL`,
      "/health/ready",
    ],
    [
      "the last row of the audit",
      `UPDATE audit_events SET actor = ${broken} WHERE sequence = (SELECT max(sequence) FROM audit_events)`,
      "/health/ready",
    ],
    ["the org's name", `UPDATE organizations SET name = ${broken}`, "/v1/builds"],
  ])("%s", async (_what, statement, path) => {
    await writer.run(statement);
    expect((await call("GET", path)).status).toBeGreaterThan(0);
    await memory.broker.restart();
    expect((await call("GET", path)).status).toBeGreaterThan(0);
    expect((await call("GET", "/health/live", { token: null })).status).toBe(200);
  });

  it("and is told where it is the text of an index", async () => {
    await writer.run("PRAGMA writable_schema = ON");
    await writer.run(
      "UPDATE sqlite_master SET sql = sql || CAST(x'202f2aff2a2f' AS TEXT) WHERE name = 'builds_created'",
    );
    expect((await call("GET", "/health/ready", { token: null })).text).toContain("builds_created");
  });
});
