import {
  type ConnectorContext,
  type DatabaseDriver,
  type OrgCredential,
  type PlannedLease,
  secretValues,
} from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { toIssuer } from "./to-issuer.ts";

const context: ConnectorContext = {
  fetch: () => Promise.reject(new Error("no network in this test")),
  signal: new AbortController().signal,
  now: () => 0,
  randomBytes: (size) => new Uint8Array(size),
};
const org: OrgCredential = { version: 1, fields: {}, facts: {} };
const lease: PlannedLease = {
  leaseId: "l",
  buildId: "b",
  expiresAt: 1,
  options: null,
  handle: { database: "d" },
};

function fakeDriver(readyAfter: number) {
  const calls: string[] = [];
  let probes = 0;
  const driver: DatabaseDriver = {
    plan: () => ({ database: "d" }),
    create: async () => {
      calls.push("create");
      return { host: "h" };
    },
    access: async (_context, _org, _lease, { host }) => {
      calls.push(`access ${host}`);
      return secretValues({ URL: "u" });
    },
    ready: async () => {
      probes += 1;
      calls.push("ready");
      return probes > readyAfter;
    },
    locate: async () => {
      calls.push("locate");
      return { host: "h" };
    },
    drop: async () => {
      calls.push("drop");
    },
  };
  return { calls, driver };
}

function fakeTime() {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
}

describe("toIssuer", () => {
  it("creates, mints access, and gives the values only when the database serves", async () => {
    const { calls, driver } = fakeDriver(2);
    const values = await toIssuer(driver, fakeTime()).issue(context, org, lease);
    expect(values["URL"]?.reveal()).toBe("u");
    expect(calls).toEqual(["create", "access h", "ready", "ready", "ready"]);
  });

  it("fails in a way that is tried again when the database does not serve in time", async () => {
    const { driver } = fakeDriver(Number.POSITIVE_INFINITY);
    const issuer = toIssuer(driver, { ...fakeTime(), readyTimeoutMs: 3_000 });
    await expect(issuer.issue(context, org, lease)).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
  });

  it("stops waiting when the work is aborted", async () => {
    const { calls, driver } = fakeDriver(Number.POSITIVE_INFINITY);
    const aborted = { ...context, signal: AbortSignal.abort() };
    await expect(toIssuer(driver, fakeTime()).issue(aborted, org, lease)).rejects.toThrow();
    expect(calls.filter((call) => call === "ready")).toHaveLength(1);
  });

  it("renews by minting access to the database that is there", async () => {
    const { calls, driver } = fakeDriver(0);
    await toIssuer(driver, fakeTime()).renew?.(context, org, lease);
    expect(calls).toEqual(["locate", "access h"]);
  });
});
