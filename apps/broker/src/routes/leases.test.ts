import type { AuditList, BuildView, ErrorEnvelope, LeaseList, ListedLease } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso", "stripe"], config: { issueDeadlineSeconds: 3 } });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const deps = () => broker.running().deps;
const turso = () => broker.emulators.get("turso") ?? expect.fail();
const create = (...connectors: string[]) => broker.createBuild({ connectors });
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
const leaseOf = (build: BuildView, connector: string) =>
  build.leases.find((lease) => lease.connector === connector) ?? expect.fail();
const revoke = (leaseId: string, query = "") => broker.call("DELETE", `/v1/leases/${leaseId}${query}`);
const list = async (query: string) => (await broker.call("GET", `/v1/leases?${query}`)).body as LeaseList;
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;
const rowOf = async (leaseId: string) => deps().store.read.leases.find(leaseId);
const actionsOf = async (id: string) =>
  ((await broker.call("GET", `/v1/audit?entity=${id}`)).body as AuditList).events.map(({ action }) => action);

describe("GET /v1/leases", () => {
  it("pages through the leases of a state, a connector and a build, each once", async () => {
    const builds = [await create("app-secrets"), await create("app-secrets", "stripe")];
    const mine = builds.flatMap(({ leases }) => leases.map(({ id }) => id));
    const seen: ListedLease[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page: LeaseList = await list(`limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.leases);
      cursor = page.nextCursor;
    }
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(seen.map(({ id }) => id)).toEqual(expect.arrayContaining(mine));
    const second = await list(`buildId=${builds[1]?.id}&connector=stripe&state=active`);
    expect(second.leases).toMatchObject([{ connector: "stripe", buildId: builds[1]?.id, state: "active" }]);
    expect((await list("state=archived")).leases).toEqual([]);
  });

  it("shows one, never its values, and 404 for one that is not there", async () => {
    const build = await create("app-secrets");
    const env = await broker.readEnv(build.id);
    const { id } = leaseOf(build, "app-secrets");
    const answer = await broker.call("GET", `/v1/leases/${id}`);
    expect(answer.body).toMatchObject({ id, buildId: build.id, state: "active" });
    expect(Object.values(env).filter((value) => answer.text.includes(value))).toEqual([]);
    expect((await broker.call("GET", "/v1/leases/lse_00000000000000000000")).status).toBe(404);
    expect((await revoke("lse_00000000000000000000")).status).toBe(404);
    expect((await broker.call("GET", "/v1/leases?state=gone")).status).toBe(422);
  });
});

describe("DELETE /v1/leases/{id}", () => {
  it("ends it at its provider, removes its values, and says so when the env is fetched", async () => {
    const build = await create("turso", "app-secrets");
    const { TURSO_DATABASE_URL: url = "" } = await broker.readEnv(build.id);
    const { id } = leaseOf(build, "turso");
    const answer = await revoke(id);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id, state: "released" });
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    expect((await rowOf(id))?.env).toBeNull();
    const env = await broker.call("GET", `/v1/builds/${build.id}/env`);
    expect(env.status).toBe(409);
    expect(error(env)).toMatchObject({
      code: "not_ready",
      message: expect.stringContaining("turso is revoked"),
      details: { missing: [{ connector: "turso", state: "revoked" }] },
    });
    expect((await show(build.id)).state).toBe("ready");
    expect(await actionsOf(build.id)).toEqual(expect.arrayContaining(["lease.revoked", "lease.released"]));
  });

  it("changes nothing when repeated, also many times at once", async () => {
    const build = await create("turso");
    const { id } = leaseOf(build, "turso");
    const answers = await Promise.all(Array.from({ length: 5 }, () => revoke(id)));
    expect(answers.every(({ status }) => status === 200 || status === 202)).toBe(true);
    expect((await revoke(id)).status).toBe(200);
    const actions = await actionsOf(build.id);
    expect(actions.filter((action) => action === "lease.revoked")).toHaveLength(1);
    expect(actions.filter((action) => action === "lease.released")).toHaveLength(1);
  });

  it("answers 202 while the provider is down, with the values gone, and goes on by itself", async () => {
    const build = await create("turso");
    const { id } = leaseOf(build, "turso");
    turso().faults.add({ kind: "status", status: 503 }, 500);
    const answer = await revoke(id, "?wait=1");
    expect(answer.status).toBe(202);
    expect((await rowOf(id))?.env).toBeNull();
    await deps().runner.settled(build.id);
    turso().faults.clear();
    broker.advance(60_000);
    await finishWork(deps(), build.id);
    expect((await revoke(id)).status).toBe(200);
  });

  it("lets the rest be renewed, and the build be closed", async () => {
    const build = await create("turso", "app-secrets");
    await revoke(leaseOf(build, "turso").id);
    broker.advance(3 * 3_600_000);
    const renewed = (await broker.call("POST", `/v1/builds/${build.id}/renew`, { body: {} }))
      .body as BuildView;
    expect(Date.parse(renewed.expiresAt)).toBeGreaterThan(Date.parse(build.expiresAt));
    expect(leaseOf(renewed, "app-secrets").expiresAt).toBe(renewed.expiresAt);
    expect(leaseOf(renewed, "turso").expiresAt).toBe(build.expiresAt);
    expect((await broker.call("DELETE", `/v1/builds/${build.id}`)).body).toMatchObject({ state: "closed" });
  });

  it("lets a build close of which everything was revoked before", async () => {
    const build = await create("turso", "app-secrets");
    for (const { id } of build.leases) expect((await revoke(id)).status).toBe(200);
    const closed = await broker.call("DELETE", `/v1/builds/${build.id}`);
    expect(closed.status).toBe(200);
    expect(closed.body).toMatchObject({ state: "closed", closedAt: expect.any(String) });
    expect(await deps().store.read.dataKeys.findByOwner(build.id)).toBeUndefined();
    expect((await actionsOf(build.id)).filter((action) => action === "build.closed")).toHaveLength(1);
  });

  it("ends one that is being issued, and makes the build ready with the rest", async () => {
    turso().faults.add({ kind: "delay", ms: 700, method: "POST", path: /\/databases$/ });
    const made = await broker.call("POST", "/v1/builds?wait=0", {
      body: { name: "x", connectors: ["turso", "app-secrets"] },
    });
    const build = made.body as BuildView;
    const { id, resource } = leaseOf(build, "turso");
    expect((await revoke(id, "?wait=0")).status).toBe(202);
    await deps().runner.settled(build.id);
    expect((await show(build.id)).state).toBe("ready");
    // First the hold of the issue runs out, then a create call that was given up can no longer succeed.
    for (const ms of [60_000, 200_000]) {
      broker.advance(ms);
      await finishWork(deps(), build.id);
    }
    expect((await rowOf(id))?.state).toBe("released");
    const listed = await fetch(
      `${turso().baseUrl}/v1/organizations/${turso().orgFields.organization}/databases`,
      {
        headers: { authorization: `Bearer ${turso().orgFields.token}` },
      },
    );
    expect(await listed.text()).not.toContain(resource.database);
  });
});

describe("POST /v1/leases/revoke", () => {
  it("ends every lease of a connector and no other, and does not stop new ones", async () => {
    const builds = await Promise.all(Array.from({ length: 30 }, () => create("stripe", "app-secrets")));
    const before = (await list("connector=stripe&state=active&limit=200")).leases.length;
    const answer = await broker.call("POST", "/v1/leases/revoke", { body: { connector: "stripe" } });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ leases: before, connectors: { stripe: before } });
    await finishWork(deps(), ...builds.map(({ id }) => id));
    expect((await list("connector=stripe&state=active")).leases).toEqual([]);
    expect((await list("connector=stripe&state=releasing")).leases).toEqual([]);
    const again = await broker.call("POST", "/v1/leases/revoke", { body: { connector: "stripe" } });
    expect(again.body).toEqual({ leases: 0, builds: 0, connectors: {} });
    const rows = await Promise.all(builds.map(({ id }) => deps().store.read.leases.listByBuild(id)));
    expect(
      rows.flat().filter(({ connectorId, state }) => connectorId === "app-secrets" && state !== "active"),
    ).toEqual([]);
    expect((await create("stripe")).state).toBe("ready");
  });

  it("ends everything of the org when that is confirmed, and nothing otherwise", async () => {
    const build = await create("turso", "app-secrets");
    for (const body of [
      { all: true },
      { all: true, confirm: "other" },
      { all: true, connector: "turso", confirm: "all" },
      {},
    ]) {
      const refused = await broker.call("POST", "/v1/leases/revoke", { body });
      expect(refused.status).toBe(422);
    }
    expect((await show(build.id)).leases.every(({ state }) => state === "active")).toBe(true);
    const answer = await broker.call("POST", "/v1/leases/revoke", {
      body: { all: true, confirm: "default" },
    });
    expect(answer.status).toBe(202);
    await finishWork(deps(), build.id);
    expect((await list("state=active")).leases).toEqual([]);
    expect((await show(build.id)).leases.every(({ state }) => state === "released")).toBe(true);
    expect(await actionsOf("all")).toContain("leases.revoking");
  });

  it("is the admin's alone", async () => {
    const made = await broker.call("POST", "/v1/tokens", {
      body: { name: "p", scopes: ["builds:read", "builds:write"] },
    });
    const { token } = made.body as { token: string };
    const body = { connector: "turso" };
    expect((await broker.call("POST", "/v1/leases/revoke", { token, body })).status).toBe(403);
    expect((await broker.call("GET", "/v1/leases", { token })).status).toBe(200);
  });
});
