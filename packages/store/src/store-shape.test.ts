import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Store } from "./open-store.ts";
import type { NewAuditEvent } from "./tables/audit-events.ts";

let folder: string;
let store: Store;
const path = () => join(folder, "store.db");
const event = (id: string): NewAuditEvent => ({
  id,
  at: 1,
  actor: "system:test",
  action: "test",
  entity: "x",
  details: "{}",
  requestId: null,
});
const head = { sequence: 1, hash: "h", at: 1, signed: "s" };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-shape-"));
  store = await openStore({ path: path() });
  await store.write([], (tables) =>
    tables.organizations.insert({ id: "o1", name: "Org", createdAt: 1, auditState: "first" }),
  );
  await store.appendAudit([event("e1")]);
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A reader looks at what the file is built of once in a turn of the event loop. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Writes to the file as somebody would who has it, past the broker. */
async function tamper(...statements: string[]): Promise<unknown[]> {
  await nextTurn();
  const client = createClient({ url: `file:${path()}` });
  const answers: unknown[] = [];
  for (const statement of statements) answers.push((await client.execute(statement)).rows[0]?.[0]);
  client.close();
  return answers;
}
const trigger = (when: string, action: string) => `CREATE TRIGGER hush ${when} BEGIN ${action}; END`;

describe("what the file is built of", () => {
  it("is what the migrations make, after a second start and in a copy too", async () => {
    expect(await store.findShapeDifference()).toBeUndefined();
    await store.close();
    store = await openStore({ path: path() });
    expect(await store.findShapeDifference()).toBeUndefined();
    await store.copyTo(join(folder, "copy.db"));
    const copy = await openStore({ path: join(folder, "copy.db") });
    expect(await copy.findShapeDifference()).toBeUndefined();
    await copy.close();
  });

  it.each([
    [trigger("AFTER INSERT ON tokens", "SELECT 1"), "added trigger hush"],
    ["CREATE VIEW seen AS SELECT 1", "added view seen"],
    ["CREATE TABLE more (a)", "added table more"],
    ["CREATE VIRTUAL TABLE more USING fts5(a)", "added table more"],
    ["CREATE INDEX more ON tokens(id)", "added index more"],
    ["DROP INDEX audit_events_entity", "missing index audit_events_entity"],
    ["ALTER TABLE audit_events ADD more text", "changed table audit_events"],
    ["ALTER TABLE __drizzle_migrations ADD more text", "changed table __drizzle_migrations"],
    [`CREATE VIEW "${"v".repeat(100_000)}" AS SELECT 1`, `added view ${"v".repeat(64)}`],
  ])("is named when it is another: %.60s", async (statement, difference) => {
    await tamper(statement);
    expect(await store.findShapeDifference()).toContain(difference);
    expect((await store.findShapeDifference())?.length).toBeLessThan(1_000);
    await store.close();
    store = await openStore({ path: path() });
    expect(await store.findShapeDifference()).toContain(difference);
  });

  it("is compared again when its number was put back", async () => {
    const [version] = await tamper("PRAGMA schema_version", "CREATE VIEW seen AS SELECT 1");
    await tamper(`PRAGMA schema_version = ${version}`);
    expect(await store.findShapeDifference()).toContain("added view seen");
  });
});

describe("a row of the audit that the file does not keep", () => {
  it.each([
    ["dropped before it is written", trigger("BEFORE INSERT ON audit_events", "SELECT RAISE(IGNORE)")],
    [
      "taken away at once",
      trigger("AFTER INSERT ON audit_events", "DELETE FROM audit_events WHERE sequence = NEW.sequence"),
    ],
    [
      "changed at once",
      trigger("AFTER INSERT ON audit_events", "UPDATE audit_events SET entity = 'y' WHERE id = NEW.id"),
    ],
    [
      "taken away by the write after it",
      trigger(
        "AFTER INSERT ON audit_events WHEN NEW.id = 'last'",
        "DELETE FROM audit_events WHERE id = 'e2'",
      ),
    ],
  ])("is not taken for written: %s", async (_how, statement) => {
    const [version] = await tamper("PRAGMA schema_version", statement);
    const appended = await Promise.allSettled([
      store.appendAudit([event("e2")]),
      store.appendAudit([event("last")]),
    ]);
    expect(appended.map(({ status }) => status)).toContain("rejected");
    const change = store.write([], async (tables) => {
      await tables.organizations.insert({ id: "o2", name: "Org", createdAt: 1 });
      await tables.auditEvents.insertAll([event("e2"), event("last")]);
    });
    await expect(change).rejects.toMatchObject({ name: "StoreError", code: "altered" });
    expect(await store.read.organizations.find("o2")).toBeUndefined();
    // A number that was wrong once is looked at again, whatever it is put back to.
    await tamper("DROP TRIGGER hush", statement, `PRAGMA schema_version = ${version}`);
    await expect(store.appendAudit([event("e2"), event("last")])).rejects.toMatchObject({ code: "altered" });
    await tamper("DROP TRIGGER hush");
    await store.appendAudit([event("e3")]);
    expect((await store.read.auditEvents.list({ limit: 5 })).map(({ id }) => id)).toEqual(["e3", "e1"]);
  });

  it("is not taken for written when a view stands in the place of the table", async () => {
    await tamper(
      "ALTER TABLE audit_events RENAME TO hidden",
      "CREATE VIEW audit_events AS SELECT * FROM hidden",
      "CREATE TRIGGER hush INSTEAD OF INSERT ON audit_events BEGIN SELECT 1; END",
    );
    await expect(store.appendAudit([event("e2")])).rejects.toMatchObject({ code: "altered" });
  });
});

describe("a head or the count of heads that the file does not keep", () => {
  it.each([
    trigger("BEFORE UPDATE ON organizations", "SELECT RAISE(IGNORE)"),
    trigger("AFTER UPDATE ON organizations", "UPDATE organizations SET audit_state = OLD.audit_state"),
    trigger("BEFORE INSERT ON audit_heads", "SELECT RAISE(IGNORE)"),
  ])("is an error and no race with another broker: %s", async (statement) => {
    const sign = (before: string) =>
      store.write([], async (tables) => {
        if (!(await tables.organizations.setAuditState("o1", before, "second"))) return false;
        await tables.auditHeads.insert(head);
        return true;
      });
    await tamper(statement);
    await expect(sign("first")).rejects.toMatchObject({ code: "altered" });
    expect(await store.read.auditHeads.findLatest()).toBeUndefined();
    await tamper("DROP TRIGGER hush");
    expect(await sign("other")).toBe(false);
    expect(await sign("first")).toBe(true);
  });
});

/** Takes parts out of the file's text and leaves the engine's number of it, so that nobody parses it anew. */
const silently = (...statements: string[]) => tamper("PRAGMA writable_schema = ON", ...statements);
const takeOut = () => silently("DELETE FROM sqlite_master WHERE name = 'hush'");

describe("what a connection has parsed and is no longer in the file", () => {
  const action = "DELETE FROM audit_events WHERE id = NEW.id";
  const ghost = (kind: string) =>
    `CREATE ${kind} hush AFTER INSERT ON audit_events WHEN NEW.id = 'gone' BEGIN ${action}; END`;
  const rows = async () => (await store.read.auditEvents.list({ limit: 5 })).map(({ id }) => id);

  it.each([
    ["a trigger", [ghost("TRIGGER")]],
    [
      "a trigger that calls itself temporary",
      [
        ghost("TRIGGER"),
        "PRAGMA writable_schema = ON",
        `UPDATE sqlite_master SET sql = replace(sql, 'CREATE TRIGGER', 'CREATE TEMP TRIGGER') WHERE name = 'hush'`,
        "PRAGMA schema_version = 5000",
      ],
    ],
  ])("does nothing any more: %s", async (_what, statements) => {
    await tamper(...statements);
    await store.appendAudit([event("e2")]).catch(() => undefined);
    await takeOut();
    await store.appendAudit([event("gone")]);
    expect(await rows()).toContain("gone");
    expect(await store.findShapeDifference()).toBeUndefined();
  });

  it("does nothing any more when it was parsed before anything was compared", async () => {
    await tamper(ghost("TRIGGER"));
    await store.close();
    store = await openStore({ path: path() });
    expect(await store.findShapeDifference()).toContain("hush");
    await takeOut();
    await store.appendAudit([event("gone")]);
    expect(await rows()).toContain("gone");
  });

  it("does nothing any more when its number was given to the sound shape before", async () => {
    const [version] = await tamper("PRAGMA schema_version");
    await tamper("PRAGMA schema_version = 5000");
    await store.appendAudit([event("e2")]);
    await tamper(ghost("TRIGGER"), `PRAGMA schema_version = ${version}`);
    await store.appendAudit([event("e3")]).catch(() => undefined);
    await takeOut();
    await store.appendAudit([event("gone")]);
    expect(await rows()).toContain("gone");
  });

  it("does not stand between the reader and the rows", async () => {
    const rootOf = (name: string) => `(SELECT rootpage FROM sqlite_master WHERE name = '${name}')`;
    const moveTo = (root: string) =>
      `UPDATE sqlite_master SET rootpage = ${root} WHERE name = 'organizations'`;
    const [root] = await tamper(`SELECT ${rootOf("organizations")}`);
    await tamper("CREATE TABLE hush AS SELECT * FROM organizations WHERE 0");
    await silently(moveTo(rootOf("hush")), "PRAGMA schema_version = 5000");
    expect(await store.read.organizations.first()).toBeUndefined();
    await silently(moveTo(String(root)), "DELETE FROM sqlite_master WHERE name = 'hush'");
    expect(await store.read.organizations.first()).toMatchObject({ id: "o1" });
    expect(await store.findShapeDifference()).toBeUndefined();
  });

  it("is told of a table that begins elsewhere in the file, under the old number", async () => {
    await store.read.organizations.find("o1");
    await silently("UPDATE sqlite_master SET rootpage = rootpage + 1 WHERE name = 'organizations'");
    expect(await store.findShapeDifference()).toContain("changed place");
  });
});
