import { createHash, randomBytes } from "node:crypto";
import { type AuditList, newTokenBody } from "@keyloan/contract";
import { rowMac } from "@keyloan/vault";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readAuditState, sealedAuditState } from "./audit-state.ts";
import { withOrgDataKey } from "./sealing/data-key.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { savedBuild } from "./testing/saved-build.ts";
import { createStoreWriter, type StoreRow, type StoreWriter } from "./testing/store-writer.ts";

// A store from before jobs, moves, tokens and what a build's env is made of were proven is brought up to date once.

let broker: TestBroker;
let writer: StoreWriter;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  writer = await createStoreWriter(broker.dataDirectory);
});
afterAll(() => broker.close());

const unproven = [
  ...[
    "archives",
    "bindings",
    "handoffs",
    "idempotency_keys",
    "jobs",
    "leases",
    "org_keys",
    "start_overs",
    "tokens",
    "transfers",
    "written_objects",
  ],
];

/** Makes the store what the version before wrote. */
async function makeOlder(): Promise<void> {
  const { deps } = broker.running();
  for (const table of unproven) await writer.run(`UPDATE ${table} SET mac = NULL`);
  const proveBefore = async (table: string, row: StoreRow, names: Readonly<Record<string, string>>) => {
    const cells = Object.entries(names).map(([name, column]) => [name, row[column] ?? null]);
    const mac = await withOrgDataKey(deps, (key) => rowMac(key, table, Object.fromEntries(cells)));
    const key = Object.values(names)[0] ?? "";
    await writer.run({ sql: `UPDATE ${table} SET mac = ? WHERE ${key} = ?`, args: [mac, row[key] ?? null] });
  };
  for (const row of await writer.rows("SELECT * FROM user_keys"))
    await proveBefore("user_keys", row, {
      ...{ id: "id", buildId: "build_id", connectorId: "connector_id", personId: "person_id" },
    });
  for (const row of await writer.rows("SELECT * FROM person_browsers"))
    await proveBefore("person_browsers", row, { hash: "hash", personId: "person_id" });
  const read = (await readAuditState(deps)) ?? expect.fail("no state");
  const { rowsLevel: _, ...state } = read.state;
  await writer.run({
    sql: "UPDATE organizations SET audit_state = ?",
    args: [await sealedAuditState(deps, state)],
  });
}
it("keeps what it holds, trusts no owner that it did not trust before, and happens once", async () => {
  const [kept, stolen] = [await savedBuild(broker), await savedBuild(broker)];
  const token = await broker.createBuildToken(kept.id);
  await makeOlder();
  const [own] = await writer.rows(`SELECT person_id FROM user_keys WHERE build_id = '${kept.id}'`);
  await writer.run({
    sql: "UPDATE user_keys SET person_id = ? WHERE build_id = ?",
    args: [own?.person_id ?? null, stolen.id],
  });
  await broker.restart();
  expect((await broker.call("GET", `/v1/builds/${kept.id}/env`, { token })).status).toBe(200);
  const { store } = broker.running().deps;
  const ownerOf = async (id: string) => (await store.read.userKeys.listByBuild(id))[0]?.personId;
  expect([await ownerOf(kept.id), await ownerOf(stolen.id)]).toEqual([own?.person_id, null]);
  expect((await kept.page.settings()).person.standing).toBe("you");
  for (const table of unproven)
    expect([table, await writer.rows(`SELECT 1 FROM ${table} WHERE mac IS NULL`)]).toEqual([table, []]);

  await writer.run("UPDATE tokens SET mac = NULL");
  await broker.restart();
  expect((await broker.call("GET", `/v1/builds/${kept.id}/env`, { token })).status).toBe(401);
  const { events } = (await broker.call("GET", "/v1/audit?action=store.upgraded")).body as AuditList;
  expect(events.map(({ details }) => details)).toEqual([{ level: 2 }]);
});

it("does not happen again by what the store was known by before it", async () => {
  const { deps } = broker.running();
  const read = (await readAuditState(deps)) ?? expect.fail("no state");
  const { rowsLevel: _, ...older } = read.state;
  const token = newTokenBody("api", randomBytes);
  const hash = createHash("sha256").update(token).digest("hex");
  await writer.insert("tokens", {
    ...{ id: "tok_0000000000000000evx1", kind: "api", hash, name: "x", scopes: '["builds:read"]' },
    ...{ single_use: 0, created_at: 1 },
  });
  await writer.run({
    sql: "UPDATE organizations SET audit_state = ?",
    args: [await sealedAuditState(deps, older)],
  });
  await broker.restart();
  expect((await broker.call("GET", "/v1/builds", { token })).status).toBe(401);
  expect(await writer.rows("SELECT mac FROM tokens WHERE id = 'tok_0000000000000000evx1'")).toEqual([
    { mac: null },
  ]);
});

it("is gone on with when it broke off", async () => {
  const saved = await savedBuild(broker);
  const token = await broker.createBuildToken(saved.id);
  await makeOlder();
  const { deps } = broker.running();
  const read = (await readAuditState(deps)) ?? expect.fail("no state");
  await writer.run({
    sql: "UPDATE organizations SET audit_state = ?",
    args: [await sealedAuditState(deps, { ...read.state, rowsUpgrading: 2 })],
  });
  // Some rows have their MAC already.
  await deps.store.write([], ({ olderRows }) => olderRows.prove(1, { tables: 1, row: 0 }));
  await broker.restart();
  expect((await broker.call("GET", `/v1/builds/${saved.id}/env`, { token })).status).toBe(200);
  for (const table of unproven)
    expect([table, await writer.rows(`SELECT 1 FROM ${table} WHERE mac IS NULL`)]).toEqual([table, []]);
});
