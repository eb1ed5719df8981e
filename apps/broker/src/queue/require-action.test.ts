import { randomBytes } from "node:crypto";
import { type BuildView, type JobList, type JobView, Secret } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { runDueWork } from "../schedule.ts";
import type { RunningBroker } from "../start-broker.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";
import { type Receiver, signatureOf, startReceiver } from "../testing/start-receiver.ts";
import { claimJobs } from "../worker.ts";
import { lastMoment } from "./remind.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
const secret = randomBytes(24);

let receiver: Receiver;
let broker: TestBroker;
let other: RunningBroker;

const turso = () => broker.emulators.get("turso") ?? expect.fail();
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
const jobOf = async (buildId: string) => {
  const { jobs } = (await broker.call("GET", `/v1/jobs?buildId=${buildId}&connector=turso`)).body as JobList;
  return jobs[0] ?? expect.fail();
};
const createAt = async ({ port }: RunningBroker): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/builds?wait=0`, {
    method: "POST",
    headers: { authorization: `Bearer ${broker.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "x", connectors: ["turso", "app-secrets"], ttlSeconds: 604_800 }),
  });
  return ((await response.json()) as BuildView).id;
};
const runDue = async (brokers: readonly RunningBroker[], buildId: string) => {
  for (const { deps } of brokers) await finishWork(deps, buildId);
};
/** Types of notices in the order they came, repeats dropped as a receiver does. */
const told = () => {
  const seen = new Map(receiver.received.map(({ body }) => [body.id, body.type]));
  return [...seen.values()];
};
const remind = async (brokers: readonly RunningBroker[]) => {
  broker.advance(2 * minuteMs);
  const { signal } = new AbortController();
  await Promise.all(brokers.map(({ deps }) => runDueWork(deps, signal)));
};

describe("two brokers on one store, a provider that stays down, and a person", () => {
  beforeEach(async () => {
    receiver = await startReceiver();
    const notifySecret = Secret.of(`whsec_${secret.toString("base64")}`);
    broker = await createTestBroker({
      emulators: ["turso"],
      config: { issueDeadlineSeconds: 1, notifyUrl: receiver.url, notifySecret },
    });
    await broker.putOrgKeys();
    other = await broker.startAnother();
  });

  afterEach(async () => {
    await broker.close();
    await receiver.close();
  });

  it("nothing is lost or done twice: told once, reminded, supplied by hand, ready", async () => {
    const both = [broker.running(), other];
    turso().faults.add({ kind: "status", status: 503 }, 10_000);
    const buildId = await createAt(other);
    await runDue(both, buildId);
    broker.advance(15 * minuteMs);
    await claimJobs(other.deps);
    // One broker goes in the middle of a run; the other finishes the work.
    await other.stop();
    const left = [broker.running()];
    for (let round = 0; round < 12 && (await jobOf(buildId)).state !== "requires_action"; round++) {
      broker.advance(15 * minuteMs);
      await runDue(left, buildId);
    }
    const job = (await broker.call("GET", `/v1/jobs/${(await jobOf(buildId)).id}`)).body as JobView;
    expect(job).toMatchObject({ state: "requires_action", lastError: { code: "unavailable" } });
    await expect.poll(told, { timeout: 5_000 }).toEqual(["job.requires_action"]);
    const [first] = receiver.received;
    expect(first?.headers["webhook-signature"]).toBe(first && signatureOf(first, secret));
    expect(first?.body).toMatchObject({
      build: buildId,
      connector: "turso",
      job: job.id,
      dueAt: job.requiredAction?.dueAt,
    });
    expect(first?.body.steps).toEqual(job.requiredAction?.steps);

    other = await broker.startAnother();
    const again = [broker.running(), other];
    await remind(again);
    broker.advance(12 * hourMs);
    await remind(again);
    await remind(again);
    broker.advance(11 * hourMs);
    await remind(again);
    await broker.restart();
    await remind([broker.running(), other]);
    broker.advance(hourMs);
    await remind([broker.running(), other]);
    await expect
      .poll(told, { timeout: 5_000 })
      .toEqual(["job.requires_action", "job.reminder", "job.reminder", "job.overdue"]);

    const values = await turso().createUserEnv();
    const supplied = await broker.call("POST", `/v1/jobs/${job.id}/values`, { body: { values } });
    expect(supplied.status).toBe(200);
    expect((await show(buildId)).state).toBe("ready");
    expect(await broker.readEnv(buildId)).toMatchObject(values);
    broker.advance(24 * hourMs);
    await remind([broker.running(), other]);
    await runDue([broker.running(), other], buildId);
    expect(told()).toHaveLength(4);
    const text = receiver.received.map((notice) => notice.text).join("\n");
    expect(text).not.toContain(values.TURSO_AUTH_TOKEN);
  }, 60_000);

  it("a notice that the receiver did not take while it was down arrives when it is up", async () => {
    receiver.answer(500);
    turso().faults.add({ kind: "status", status: 403, method: "POST", path: /\/databases$/ });
    const buildId = await createAt(other);
    await expect.poll(async () => (await jobOf(buildId)).state, { timeout: 5_000 }).toBe("requires_action");
    await expect.poll(told, { timeout: 5_000 }).toEqual(["job.requires_action"]);
    // What was refused is written down before the time moves.
    await runDue([broker.running(), other], buildId);
    receiver.answer(204);
    broker.advance(hourMs);
    const sent = async () =>
      ((await broker.call("GET", "/v1/jobs?kind=notify&state=done")).body as JobList).jobs.length;
    await expect.poll(sent, { timeout: 5_000 }).toBe(1);
    expect(told()).toEqual(["job.requires_action"]);
  });
});

describe("when somebody is told again", () => {
  const requiredAction = { since: 0, dueAt: 24 * hourMs, steps: [] };
  test.each([
    [11, undefined],
    [12, 12],
    [22.9, 12],
    [23, 23],
    [24, 24],
    [47, 24],
    [49, 48],
    [24 * 10, 24 * 10],
  ])("after %d hours of 24 the last moment was at hour %s", (hours, moment) => {
    expect(lastMoment(requiredAction, hours * hourMs)).toBe(
      moment === undefined ? undefined : moment * hourMs,
    );
  });

  it("a time of less than two hours has no reminder before its half", () => {
    expect(lastMoment({ ...requiredAction, dueAt: hourMs / 2 }, hourMs / 8)).toBeUndefined();
    expect(lastMoment({ ...requiredAction, dueAt: hourMs / 2 }, hourMs / 4)).toBe(hourMs / 4);
  });
});
