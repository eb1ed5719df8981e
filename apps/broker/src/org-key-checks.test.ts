import type { AuditList, ErrorEnvelope, OrgKeyView } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createStoreWriter } from "./testing/store-writer.ts";
import { checkOrgKeys } from "./verbs/org-keys/check-org-keys.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["stripe"] });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const stripe = () => broker.emulators.get("stripe") ?? expect.fail();
const checkAll = () => checkOrgKeys(broker.running().deps, new AbortController().signal);
const show = async () => (await broker.call("GET", "/v1/org-keys/stripe")).body as OrgKeyView;

describe("org keys on a schedule", () => {
  it("keep their last answer while the provider cannot be asked", async () => {
    stripe().faults.add({ kind: "status", status: 503 }, 40);
    await checkAll();
    stripe().faults.clear();
    expect((await show()).checkStatus).toBe("valid");
  });

  it("that are refused are marked, audited, and lent no more until a new one is put", async () => {
    stripe().faults.add({ kind: "status", status: 401 }, 40);
    await checkAll();
    stripe().faults.clear();
    expect(await show()).toMatchObject({ checkStatus: "invalid", checkMessage: expect.any(String) });
    const { events } = (await broker.call("GET", "/v1/audit?action=org_key.checked")).body as AuditList;
    expect(events).toMatchObject([{ entity: "stripe", details: { before: "valid", after: "invalid" } }]);
    const build = () => broker.call("POST", "/v1/builds", { body: { name: "x", connectors: ["stripe"] } });
    const refused = await build();
    expect([refused.status, (refused.body as ErrorEnvelope).error.code]).toEqual([409, "org_key_missing"]);
    await broker.putOrgKeys("stripe");
    expect((await build()).status).toBe(201);
  });

  it("show nothing that a store writer says of them, until they are put again", async () => {
    const writer = await createStoreWriter(broker.dataDirectory);
    const check = { status: "invalid", message: "Call this number.", capabilities: [], warnings: ["Now!"] };
    await writer.run(
      `UPDATE org_keys SET last_check = '${JSON.stringify(check)}', facts = '{"priceId":"evil"}'`,
    );
    const shown = await broker.call("GET", "/v1/org-keys");
    expect(shown.text).not.toMatch(/Call this number|Now!|evil/);
    expect((await broker.call("GET", "/v1/org-keys/stripe")).status).toBe(404);
    await broker.putOrgKeys("stripe");
    expect(await show()).toMatchObject({ checkStatus: "valid" });
  });

  it("are taken away without harm to what was lent with them", async () => {
    const made = await broker.createBuild({ connectors: ["stripe"] });
    expect((await broker.call("DELETE", "/v1/org-keys/stripe")).status).toBe(204);
    expect((await broker.readEnv(made.id)).STRIPE_SECRET_KEY).toBeDefined();
    expect(
      (await broker.call("POST", "/v1/builds", { body: { name: "x", connectors: ["stripe"] } })).status,
    ).toBe(409);
    expect((await broker.call("DELETE", `/v1/builds/${made.id}`)).status).toBe(200);
  });
});
