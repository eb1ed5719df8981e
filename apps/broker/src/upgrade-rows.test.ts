import type { AuditList } from "@keyloan/contract";
import { rowMac } from "@keyloan/vault";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readAuditState, sealedAuditState } from "./audit-state.ts";
import { withOrgDataKey } from "./sealing/data-key.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { savedBuild } from "./testing/saved-build.ts";
import { createStoreWriter, type StoreWriter } from "./testing/store-writer.ts";

// A store from before jobs, moves, tokens and what a build's env is made of were proven is brought up to date once.

let broker: TestBroker;
let writer: StoreWriter;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  writer = await createStoreWriter(broker.dataDirectory);
});
afterAll(() => broker.close());

const unproven = [
  ...["bindings", "jobs", "leases", "org_keys", "start_overs", "tokens", "transfers", "written_objects"],
];

/** Makes the store what the version before wrote. */
async function makeOlder(): Promise<void> {
  const { deps } = broker.running();
  for (const table of unproven) await writer.run(`UPDATE ${table} SET mac = NULL`);
  for (const row of await writer.rows("SELECT id, build_id, connector_id, person_id FROM user_keys")) {
    const { id = null, build_id: buildId = null, connector_id: connectorId = null } = row;
    const owned = { id, buildId, connectorId, personId: row.person_id ?? null };
    const mac = await withOrgDataKey(deps, (key) => rowMac(key, "user_keys", owned));
    await writer.run({ sql: "UPDATE user_keys SET mac = ? WHERE id = ?", args: [mac, id] });
  }
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
