import type { ConnectorCategory, ConnectorSpec, ErrorEnvelope } from "@keyloan/contract";
import { secretValues } from "@keyloan/contract";
import { afterEach, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";

let broker: TestBroker;
afterEach(() => broker.close());

/** A connector that makes up its values, with the given variables. */
const made = (id: string, category: ConnectorCategory, ...names: string[]) => {
  const spec: ConnectorSpec = {
    id,
    label: id.toUpperCase(),
    category,
    summary: "Makes values up.",
    grade: "E",
    revocation: "Nothing to revoke.",
    orgFields: [],
    env: names.map((name) => ({ name, label: name, secret: true, exposure: "server", pattern: "." })),
  };
  return {
    spec,
    validate: async () => ({ status: "valid", account: "own", capabilities: [], warnings: [] }) as const,
    issuer: {
      plan: () => ({}),
      issue: async () => secretValues(Object.fromEntries(names.map((name) => [name, id]))),
      revoke: async () => {},
    },
  };
};
const connectors = [
  made("alpha", "database", "DATABASE_URL"),
  made("beta", "database", "DATABASE_URL", "DIRECT_URL"),
  made("gamma", "database", "GAMMA_URL"),
  made("mail", "mail", "MAIL_KEY"),
];
const start = async (preferredConnectors: readonly string[] = []) => {
  broker = await createTestBroker({ emulators: [], connectors, config: { preferredConnectors } });
};
const create = (...ids: string[]) =>
  broker.call("POST", "/v1/builds", {
    body: { name: "x", ...(ids.length === 0 ? {} : { connectors: ids }) },
  });

describe("a build that names no connector", () => {
  it.each([
    [[], "alpha"],
    [["beta"], "beta"],
    [["mail", "gamma", "beta"], "gamma"],
  ])("gets one of each category, with %j preferred: %s", async (preferred, expected) => {
    await start(preferred);
    const env = await broker.readEnv((await broker.createBuild()).id);
    expect(new Set(Object.values(env))).toEqual(new Set([expected, "mail"]));
  });
});

describe("connectors that give the same name", () => {
  it("are refused together, with what to name instead, and nothing is made", async () => {
    await start();
    const { status, body } = await create("alpha", "beta");
    const { error } = body as ErrorEnvelope;
    expect([status, error.message]).toEqual([422, "ALPHA and BETA both give DATABASE_URL"]);
    expect(error.remedy).toBe(
      "Name one of them in `connectors`: alpha or beta. An app that needs both needs two builds.",
    );
    expect(error.details).toEqual({ connectors: ["alpha", "beta"], names: ["DATABASE_URL"] });
    expect((await broker.call("GET", "/v1/builds")).body).toMatchObject({ builds: [] });
  });

  it("serve builds of their own, and one category may be there twice under other names", async () => {
    await start();
    for (const ids of [["alpha"], ["beta"], ["alpha", "gamma"]])
      expect((await create(...ids)).status).toBe(201);
  });
});
