import {
  type ConnectorContext,
  type DatabaseDriver,
  type OrgCredential,
  type PlannedLease,
  ProviderError,
  revealValues,
  secretValues,
} from "@keyloan/contract";
import { beforeEach, describe, expect, test } from "vitest";
import { toIssuer } from "./to-issuer.ts";

const org: OrgCredential = { version: 1, fields: secretValues({ token: "org" }), facts: {} };
const lease: PlannedLease = {
  leaseId: "lse_1",
  buildId: "bld_1",
  expiresAt: 10_000,
  options: undefined,
  handle: { database: "db-1" },
};

let controller: AbortController;
let context: ConnectorContext;
let time: number;
let steps: string[];
let readyAnswers: (boolean | Error)[];

beforeEach(() => {
  controller = new AbortController();
  time = 0;
  steps = [];
  readyAnswers = [];
  context = {
    fetch: () => Promise.reject(new Error("the engine calls nobody")),
    signal: controller.signal,
    now: () => time,
    randomBytes: (size) => new Uint8Array(size),
  };
});

const tools = {
  now: () => time,
  random: () => 1,
  sleep: async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    time += ms;
  },
};

const driver: DatabaseDriver = {
  plan: ({ leaseId }) => ({ database: `db-${leaseId.slice(4)}` }),
  create: async (_context, _org, { handle }) => {
    steps.push(`create ${handle.database}`);
    return { host: "created.example" };
  },
  access: async (_context, _org, _lease, location) => {
    steps.push(`access ${location.host}`);
    return secretValues({ URL: `db://${location.host}` });
  },
  ready: async (_context, values) => {
    steps.push(`ready ${revealValues(values).URL}`);
    const answer = readyAnswers.shift() ?? true;
    if (answer instanceof Error) throw answer;
    return answer;
  },
  locate: async (_context, _org, { handle }) => {
    steps.push(`locate ${handle.database}`);
    return { host: "located.example" };
  },
  drop: async (_context, _org, { handle }) => {
    steps.push(`drop ${handle.database}`);
  },
};
const issuer = (overrides: Partial<DatabaseDriver> = {}) => toIssuer({ ...driver, ...overrides }, tools);

test("issuing creates, mints, and gives the values when the database serves them", async () => {
  readyAnswers = [false, false, true];
  const values = await issuer().issue(context, org, lease);
  expect(revealValues(values)).toEqual({ URL: "db://created.example" });
  const probe = "ready db://created.example";
  expect(steps).toEqual(["create db-1", "access created.example", probe, probe, probe]);
});

test("planning is the driver's own", () => {
  expect(issuer().plan(lease)).toEqual({ database: "db-1" });
});

test("renewing mints for the database that is there and makes none", async () => {
  const values = await issuer().renew?.(context, org, lease);
  expect(revealValues(values ?? {})).toEqual({ URL: "db://located.example" });
  expect(steps).toEqual(["locate db-1", "access located.example"]);
});

test("revoking drops", async () => {
  await issuer().revoke(context, org, lease);
  expect(steps).toEqual(["drop db-1"]);
});

describe("waiting for a new database", () => {
  test("outlasts failures that pass", async () => {
    readyAnswers = [new ProviderError("p", "network", "x"), new ProviderError("p", "unavailable", "x"), true];
    await expect(issuer().issue(context, org, lease)).resolves.toBeDefined();
  });

  test.each([new ProviderError("p", "forbidden", "x"), new Error("a mistake in the code")])(
    "ends at once with %s",
    async (error) => {
      readyAnswers = [error];
      await expect(issuer().issue(context, org, lease)).rejects.toBe(error);
    },
  );

  test("gives up after its time with an error that may be tried again, and drops nothing", async () => {
    const never = { ready: async () => false };
    await expect(issuer(never).issue(context, org, lease)).rejects.toMatchObject({
      name: "ProviderError",
      code: "timeout",
      retryable: true,
    });
    expect(time).toBe(20_000);
    expect(steps).not.toContain("drop db-1");
  });

  test("takes the time and the name it is given", async () => {
    const slow = toIssuer(
      { ...driver, ready: async () => false },
      { ...tools, readyTimeoutMs: 50, provider: "acme" },
    );
    await expect(slow.issue(context, org, lease)).rejects.toMatchObject({ provider: "acme" });
    expect(time).toBe(50);
  });

  test("ends with the context's signal", async () => {
    const gaveUp = {
      ready: async () => {
        controller.abort(new DOMException("time is up", "TimeoutError"));
        return false;
      },
    };
    await expect(issuer(gaveUp).issue(context, org, lease)).rejects.toMatchObject({ code: "timeout" });
    expect(time).toBe(0);
  });
});

test.each(["create", "access"] as const)("a failure of %s is passed on as it is", async (step) => {
  const error = new ProviderError("p", "quota_exceeded", "x");
  const failing = { [step]: () => Promise.reject(error) };
  await expect(issuer(failing).issue(context, org, lease)).rejects.toBe(error);
});
