import type { AuditList, BuildView, CancelledJob, ErrorEnvelope, JobList, JobView } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso", "stripe"], config: { issueDeadlineSeconds: 2 } });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());
afterEach(() => turso().faults.clear());

const turso = () => broker.emulators.get("turso") ?? expect.fail();
const deps = () => broker.running().deps;
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
const job = async (id: string) => (await broker.call("GET", `/v1/jobs/${id}`)).body as JobView;
const list = async (query: string) => (await broker.call("GET", `/v1/jobs?${query}`)).body as JobList;
const problem = (answer: Answer) => (answer.body as ErrorEnvelope).error;
const jobOf = async (buildId: string, kind = "issue") =>
  (await list(`buildId=${buildId}&kind=${kind}`)).jobs.find(({ connector }) => connector !== "app-secrets") ??
  expect.fail();
const runDue = async (buildId: string, ms = 0) => {
  broker.advance(ms);
  await finishWork(deps(), buildId);
};

/** A build whose database is refused, so that a person is needed for it. */
async function buildThatRequiresAction(connectors = ["turso", "app-secrets"]): Promise<BuildView> {
  turso().faults.add({ kind: "status", status: 403, method: "POST", path: /\/databases$/ });
  return broker.createBuild({ connectors });
}

/** A build that was closed while its provider refuses to end its database. */
async function releaseThatRequiresAction(): Promise<{ buildId: string; jobId: string; resource: string }> {
  const { id, leases } = await broker.createBuild({ connectors: ["turso"] });
  turso().faults.add({ kind: "status", status: 403 }, 500);
  await broker.call("DELETE", `/v1/builds/${id}?wait=5`);
  for (let round = 0; round < 6 && (await jobOf(id, "release")).state !== "requires_action"; round++)
    await runDue(id, 60_000);
  return {
    buildId: id,
    jobId: (await jobOf(id, "release")).id,
    resource: leases[0]?.resource.database ?? "",
  };
}

describe("an issue that is refused", () => {
  it("is found by the word of the version before, with a warning", async () => {
    const build = await buildThatRequiresAction();
    const list = (state: string) => broker.call("GET", `/v1/jobs?state=${state}&buildId=${build.id}`);
    const [former, present] = await Promise.all([list("needs_hands"), list("requires_action")]);
    expect(former.body).toEqual(present.body);
    expect((present.body as JobList).jobs).toHaveLength(1);
    expect([former.headers.get("warning"), present.headers.get("warning")]).toEqual([
      '299 - "the state needs_hands is now called requires_action"',
      null,
    ]);
    const audit = (action: string) => broker.call("GET", `/v1/audit?action=${action}&entity=${build.id}`);
    const [rows, formerRows] = await Promise.all([audit("job.requires_action"), audit("job.needs_hands")]);
    expect((rows.body as AuditList).events).toHaveLength(1);
    expect(formerRows.body).toEqual(rows.body);
  });

  it("requires action at once: the job tells what to do by when, and the build leads to it", async () => {
    const build = await buildThatRequiresAction();
    const { id: jobId } = await jobOf(build.id);
    const view = await job(jobId);
    expect(view).toMatchObject({
      kind: "issue",
      state: "requires_action",
      build: build.id,
      connector: "turso",
      attempts: 1,
      running: false,
      requiredAction: { overdue: false, hoursLeft: 24 },
      lastError: { code: "forbidden", message: expect.any(String), remedy: expect.any(String) },
    });
    expect(view).not.toHaveProperty("nextRunAt");
    expect(view.requiredAction?.variables).toContain("TURSO_DATABASE_URL");
    const database = build.leases.find(({ connector }) => connector === "turso")?.resource.database ?? "";
    const steps = JSON.stringify(view.requiredAction?.steps);
    expect(steps).toContain(database);
    expect(steps).toContain(`keyloan jobs supply ${jobId}`);
    expect(view.requiredAction?.steps.some(({ url }) => url?.startsWith("https://"))).toBe(true);
    expect((await show(build.id)).leases.find(({ connector }) => connector === "turso")).toMatchObject({
      state: "requires_action",
      error: { remedy: expect.stringContaining(`keyloan jobs show ${jobId}`) },
    });
  });

  it("is told as overdue when its time is over, and counted", async () => {
    const build = await buildThatRequiresAction();
    const { id: jobId } = await jobOf(build.id);
    broker.advance(25 * 3_600_000);
    expect(await job(jobId)).toMatchObject({ requiredAction: { overdue: true, hoursLeft: -1 } });
    const metrics = (await broker.call("GET", "/metrics")).text;
    expect(metrics).toMatch(/keyloan_jobs_requiring_action\{kind="issue",connector="turso"\} [1-9]/);
    expect(metrics).toMatch(/keyloan_jobs_overdue\{kind="issue",connector="turso"\} [1-9]/);
  });

  it("runs again when it is told to, and the build goes on", async () => {
    const build = await buildThatRequiresAction();
    const { id: jobId } = await jobOf(build.id);
    expect((await broker.call("POST", `/v1/jobs/${jobId}/retry`)).body).toMatchObject({
      state: "waiting",
      attempts: 0,
    });
    const again = await broker.call("POST", `/v1/jobs/${jobId}/retry`);
    expect([200, 409]).toContain(again.status);
    await runDue(build.id);
    expect((await show(build.id)).state).toBe("ready");
    expect(await job(jobId)).toMatchObject({ state: "done", endedAt: expect.any(String) });
    const late = await broker.call("POST", `/v1/jobs/${jobId}/retry`);
    expect([late.status, problem(late).code]).toEqual([409, "conflict"]);
  });
});

describe("values that a person supplies", () => {
  const supply = (jobId: string, values: Record<string, string>, more = {}) =>
    broker.call("POST", `/v1/jobs/${jobId}/values`, { body: { values, ...more } });

  it("are checked, sealed as the lease's own and never shown, and the build goes on to ready", async () => {
    const build = await buildThatRequiresAction();
    const { id: jobId } = await jobOf(build.id);
    const values = await turso().createUserEnv();
    const answer = await supply(jobId, values);
    expect(answer.body).toMatchObject({ id: jobId, state: "done" });
    expect((await show(build.id)).state).toBe("ready");
    expect(await broker.readEnv(build.id)).toMatchObject(values);
    const lease = (await deps().store.read.leases.listByBuild(build.id)).find(
      ({ connectorId }) => connectorId === "turso",
    );
    expect(lease).toMatchObject({ state: "active", orgKeyVersion: null, lastError: null });
    const audit = (await broker.call("GET", `/v1/audit?entity=${build.id}&action=lease.supplied`)).text;
    expect(audit).toContain("TURSO_AUTH_TOKEN");
    const everything = audit + answer.text + broker.logs.join("\n");
    expect(everything).not.toContain(values.TURSO_AUTH_TOKEN);
    const renewed = await broker.call("POST", `/v1/builds/${build.id}/renew`, {
      body: { ttlSeconds: 172_800 },
    });
    expect(renewed.status).toBe(200);
    expect(await broker.readEnv(build.id)).toMatchObject(values);
    const closed = await broker.call("DELETE", `/v1/builds/${build.id}?wait=10`);
    expect((closed.body as BuildView).state).toBe("closed");
  });

  it("are refused when the provider refuses them, when one is missing, or when nothing asks for them", async () => {
    const build = await buildThatRequiresAction();
    const { id: jobId } = await jobOf(build.id);
    const values = await turso().createUserEnv();
    const other = await turso().createUserEnv();
    const wrong = await supply(jobId, { ...values, TURSO_AUTH_TOKEN: other.TURSO_AUTH_TOKEN ?? "" });
    const missing = await supply(jobId, { TURSO_DATABASE_URL: values.TURSO_DATABASE_URL ?? "" });
    const unknown = await supply(jobId, { ...values, ELSE: "x" });
    expect([wrong, missing, unknown].map(({ status }) => status)).toEqual([422, 422, 422]);
    expect([wrong, missing, unknown].map((answer) => problem(answer).code)).toEqual(
      Array(3).fill("key_rejected"),
    );
    expect(problem(missing).details).toMatchObject({ variable: "TURSO_AUTH_TOKEN" });
    expect((await job(jobId)).state).toBe("requires_action");
    await broker.call("DELETE", `/v1/builds/${build.id}?wait=10`);
    const late = await supply(jobId, values);
    expect(late.status).toBe(409);
    expect((await job(jobId)).state).toBe("cancelled");
  });

  it("are taken unchecked only by force", async () => {
    const stripe = broker.emulators.get("stripe") ?? expect.fail();
    const prices = [{ name: "PRO", currency: "usd", unitAmount: 500 }];
    stripe.faults.add({ kind: "status", status: 400, method: "POST" });
    const build = await broker.createBuild({ connectors: [{ id: "stripe", options: { prices } }] });
    const { id: jobId } = await jobOf(build.id);
    const values = await stripe.createUserEnv({ mode: "test" });
    stripe.faults.add({ kind: "status", status: 503 }, 500);
    const unchecked = await supply(jobId, values);
    expect([unchecked.status, problem(unchecked).code]).toEqual([502, "provider_failed"]);
    expect(problem(unchecked).remedy).toContain("force");
    expect((await supply(jobId, values, { force: true })).status).toBe(200);
    stripe.faults.clear();
    expect((await show(build.id)).state).toBe("ready");
  });
});

describe("cancelling", () => {
  const cancel = (jobId: string, confirm?: string) =>
    broker.call("POST", `/v1/jobs/${jobId}/cancel`, { body: confirm === undefined ? {} : { confirm } });

  it("an issue: its lease is released, and the build goes on and tells what it lacks", async () => {
    const build = await buildThatRequiresAction();
    const { id: jobId } = await jobOf(build.id);
    const answer = await cancel(jobId);
    expect(answer.body).toMatchObject({
      job: { state: "cancelled" },
      lacks: { connector: "turso", variables: expect.arrayContaining(["TURSO_DATABASE_URL"]) },
    });
    await deps().runner.settled(build.id);
    const view = await show(build.id);
    expect(view.state).toBe("ready");
    expect(view.leases.find(({ connector }) => connector === "turso")?.state).toBe("released");
    expect(Object.keys(await broker.readEnv(build.id))).not.toContain("TURSO_DATABASE_URL");
    expect((await broker.call("POST", `/v1/builds/${build.id}/renew`, { body: {} })).status).toBe(200);
    expect((await broker.call("POST", `/v1/jobs/${jobId}/retry`)).status).toBe(409);
    const closed = await broker.call("DELETE", `/v1/builds/${build.id}?wait=10`);
    expect((closed.body as BuildView).state).toBe("closed");
  });

  it("an issue of the only connector is refused: nothing would be left", async () => {
    const build = await buildThatRequiresAction(["turso"]);
    const answer = await cancel((await jobOf(build.id)).id);
    expect([answer.status, problem(answer).remedy]).toEqual([409, expect.stringContaining("build close")]);
  });

  it("a release is refused without the name, with a wrong one, and while the provider still has it", async () => {
    const { jobId, resource } = await releaseThatRequiresAction();
    turso().faults.clear();
    for (const confirm of [undefined, "something-else", resource]) {
      const answer = await cancel(jobId, confirm);
      // Listed or revoked: what is there is never taken for gone on a person's word alone.
      if (confirm !== resource)
        expect([answer.status, problem(answer).details?.kind]).toEqual([409, "release"]);
      else expect(answer.status === 409 || (answer.body as CancelledJob).verified === true).toBe(true);
    }
  });

  it("a release that a person confirms while the provider cannot be asked closes the build, unverified", async () => {
    const { buildId, jobId, resource } = await releaseThatRequiresAction();
    const answer = await cancel(jobId, resource);
    expect(answer.body).toMatchObject({ job: { state: "cancelled" }, verified: false });
    expect(await show(buildId)).toMatchObject({ state: "closed", leases: [{ state: "released" }] });
  });

  it("a job that has ended is refused", async () => {
    const { id } = await broker.createBuild({ connectors: ["stripe"] });
    const answer = await cancel((await jobOf(id)).id);
    expect([answer.status, problem(answer).code]).toEqual([409, "conflict"]);
  });
});

describe("a release that keeps failing", () => {
  it("is told and shown, is still tried, and ends by itself when the provider works again", async () => {
    const { buildId, jobId } = await releaseThatRequiresAction();
    const view = await job(jobId);
    expect(view).toMatchObject({ state: "requires_action", nextRunAt: expect.any(String) });
    expect(JSON.stringify(view.requiredAction?.steps)).toContain("--confirm");
    expect(await show(buildId)).toMatchObject({ state: "closing", leases: [{ state: "requires_action" }] });
    await runDue(buildId, 3_600_000);
    expect(await job(jobId)).toMatchObject({
      state: "requires_action",
      requiredAction: { since: view.requiredAction?.since },
    });
    turso().faults.clear();
    await runDue(buildId, 3_600_000);
    expect(await job(jobId)).toMatchObject({ state: "done" });
    expect(await show(buildId)).toMatchObject({ state: "closed", leases: [{ state: "released" }] });
    const notices = await deps().store.read.jobs.list({ kind: "notify", limit: 200 });
    const types = notices
      .filter(({ payload }) => payload?.jobId === jobId)
      .map(({ payload }) => payload?.type);
    expect(types.toSorted()).toEqual(["job.requires_action", "job.resolved"]);
  });

  it("is tried at once when a new org key is put", async () => {
    const { buildId, jobId } = await releaseThatRequiresAction();
    turso().faults.clear();
    await broker.putOrgKeys("turso");
    await runDue(buildId);
    expect((await job(jobId)).state).toBe("done");
    expect((await show(buildId)).state).toBe("closed");
  });
});

describe("the list", () => {
  it("comes in pages, newest first, and can be narrowed", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets", "stripe"] });
    const first = await list("limit=1");
    const second = await list(`limit=1&cursor=${first.nextCursor}`);
    expect(first.jobs).toHaveLength(1);
    expect(second.jobs[0]?.id).not.toBe(first.jobs[0]?.id);
    expect((await list(`buildId=${id}`)).jobs).toHaveLength(2);
    expect((await list(`buildId=${id}&connector=stripe`)).jobs).toMatchObject([{ connector: "stripe" }]);
    expect((await list(`buildId=${id}&state=requires_action`)).jobs).toEqual([]);
  });

  test.each([
    ["GET", "/v1/jobs?state=lost", 422],
    ["GET", "/v1/jobs?cursor=bm90LW91cnM", 422],
    ["GET", "/v1/jobs/nothing", 422],
    ["GET", "/v1/jobs/job_00000000000000000000", 404],
    ["POST", "/v1/jobs/job_00000000000000000000/retry", 404],
    ["POST", "/v1/jobs/job_00000000000000000000/cancel", 404],
  ])("%s %s is answered %i with a remedy", async (method, path, status) => {
    const answer = await broker.call(method, path);
    expect([answer.status, typeof problem(answer).remedy]).toEqual([status, "string"]);
  });
});
