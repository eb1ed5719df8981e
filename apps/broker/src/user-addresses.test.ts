import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ErrorEnvelope, ValidatedKeys } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";

let broker: TestBroker;
let page: TestPage;
let gateway: Server;
const reached: string[] = [];
const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  gateway = createServer((request, answer) => {
    reached.push(`${request.method} ${request.url}`);
    answer.end("{}");
  }).listen(0, "127.0.0.1");
  await once(gateway, "listening");
  broker = await createTestBroker({ emulators: ["turso", "r2", "clerk"] });
  const providerUrls = { ...broker.config.providerUrls, stripe: addressOf(gateway) };
  await broker.restart({ allowPrivateAddresses: false, providerUrls });
  await broker.putOrgKeys();
  page = await openPage(broker, (await broker.createBuild({ connectors: ["turso", "r2", "clerk"] })).id);
});
afterAll(async () => {
  await broker.close();
  gateway.close();
});

const valuesOf = {
  turso: (address: string) => ({
    TURSO_DATABASE_URL: address,
    TURSO_AUTH_TOKEN: `${Buffer.from('{"alg":"EdDSA"}').toString("base64url")}.e30.${"x".repeat(86)}`,
  }),
  r2: (address: string) => ({
    R2_ENDPOINT: address,
    R2_BUCKET: "users",
    R2_ACCESS_KEY_ID: "a".repeat(32),
    R2_SECRET_ACCESS_KEY: "b".repeat(64),
  }),
};
const check = async (connector: string, values: Record<string, string>) => {
  const answer = await page.call("POST", `/v1/settings/keys/${connector}/validate`, {
    submission: { values },
  });
  return (answer.body as ValidatedKeys & ErrorEnvelope).check;
};

describe("an address that the operator has configured for a provider", () => {
  it.each(["turso", "r2"] as const)("is none that a user may name: another provider's, by %s", async (id) => {
    const found = await check(id, valuesOf[id](addressOf(gateway)));
    expect(found).toMatchObject({ status: "undetermined", code: "blocked_address" });
    expect(reached).toEqual([]);
  });

  it.each(["turso", "r2"] as const)("is none that a user may name: the provider's own, by %s", async (id) => {
    const found = await check(id, valuesOf[id](broker.config.providerUrls[id] ?? ""));
    expect(found).toMatchObject({ status: "undetermined", code: "blocked_address" });
  });

  it("is asked about keys that name no address", async () => {
    const values = (await broker.emulators.get("clerk")?.createUserEnv()) ?? expect.fail();
    expect(await check("clerk", values)).toMatchObject({ status: "valid" });
  });
});
