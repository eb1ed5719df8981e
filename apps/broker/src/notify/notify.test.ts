import { randomBytes } from "node:crypto";
import { Secret } from "@keyloan/contract";
import type { ClaimedJob, JobRow } from "@keyloan/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runAndSettle } from "../queue/runner.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { type Receiver, signatureOf, startReceiver } from "../testing/start-receiver.ts";
import { type Notice, noticeJob } from "./notice.ts";
import { notifyJobWith } from "./send-notice.ts";

const notice: Notice = {
  type: "job.requires_action",
  message: "turso: a lease needs a person",
  buildId: "bld_1",
  connectorId: "turso",
  jobId: "job_1",
  remedy: "Look at it with `keyloan jobs show job_1`.",
  steps: [{ text: "Sign in.", url: "https://example.com" }],
  dueAt: Date.UTC(2026, 10, 20),
};
const hourMs = 3_600_000;

let broker: TestBroker;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  broker = await createTestBroker({ emulators: [], config: { notifyUrl: receiver.url } });
});

afterEach(async () => {
  await broker.close();
  await receiver.close();
});

const deps = () => broker.running().deps;
/** A notice that no loop takes, so that the test alone sends it. */
const insertHeld = async (): Promise<ClaimedJob> => {
  const job = { ...noticeJob(deps(), notice), lockedUntil: deps().now() + 20_000, fence: 1 };
  await deps().store.write([], (tables) => tables.jobs.insertAll([job]));
  return job;
};
const { signal } = new AbortController();
const send = (job: ClaimedJob, timeoutMs = 10_000) =>
  runAndSettle(deps(), { job, signal, cancelled: signal }, notifyJobWith(timeoutMs));
const stored = async ({ id }: JobRow) => deps().store.read.jobs.find(id);

describe("what arrives", () => {
  test("a notice that is written arrives by itself, with its id, names and times", async () => {
    const job = noticeJob(deps(), notice);
    await deps().store.write([], (tables) => tables.jobs.insertAll([job]));
    await expect.poll(() => receiver.received.length, { timeout: 5_000 }).toBe(1);
    const [{ headers, body } = { headers: {}, body: {} }] = receiver.received;
    expect(body).toEqual({
      id: job.id,
      type: "job.requires_action",
      at: new Date(job.createdAt).toISOString(),
      build: "bld_1",
      connector: "turso",
      job: "job_1",
      message: notice.message,
      remedy: notice.remedy,
      steps: notice.steps,
      dueAt: "2026-11-20T00:00:00.000Z",
    });
    expect(headers).toMatchObject({ "content-type": "application/json", "webhook-id": job.id });
    expect(headers).not.toHaveProperty("webhook-signature");
    await expect.poll(async () => (await stored(job))?.state).toBe("done");
  });

  const key = randomBytes(24);
  test.each([
    ["base64 after whsec_", `whsec_${key.toString("base64")}`, key],
    [
      "any other text as it is",
      "a-plain-secret-of-an-operator",
      Buffer.from("a-plain-secret-of-an-operator"),
    ],
  ])("it is signed as Standard Webhooks has it: %s", async (_, secret, expected) => {
    await broker.restart({ notifySecret: Secret.of(secret) });
    await send(await insertHeld());
    const [got] = receiver.received;
    if (got === undefined) throw new Error("nothing arrived");
    expect(got.headers["webhook-signature"]).toBe(signatureOf(got, expected));
    expect(Number(got.headers["webhook-timestamp"])).toBeCloseTo(deps().now() / 1000, -1);
    expect(broker.logs.join("\n")).not.toContain(secret);
  });

  test("without a receiver it is logged as a warning, and done", async () => {
    await broker.restart({ notifyUrl: undefined });
    const job = await insertHeld();
    await send(job);
    expect(broker.logs.some((line) => line.includes("turso: a lease needs a person"))).toBe(true);
    expect(await stored(job)).toMatchObject({ state: "done" });
  });
});

describe("a receiver that does not take it", () => {
  test.each([
    [500, "answered 500"],
    [404, "answered 404"],
    ["redirect", "answered 307"],
  ] as const)(
    "%s: it is sent again later under the same id, and no redirect is followed",
    async (how, lastError) => {
      receiver.answer(how);
      const job = await insertHeld();
      await send(job);
      expect(receiver.received).toHaveLength(1);
      const after = await stored(job);
      expect(after).toMatchObject({ state: "waiting", lastError, lockedUntil: null });
      expect(after?.runAfter).toBeGreaterThan(deps().now());
      receiver.answer(204);
      broker.advance(hourMs);
      await expect.poll(async () => (await stored(job))?.state, { timeout: 5_000 }).toBe("done");
      expect(receiver.received.map(({ body }) => body.id)).toEqual([job.id, job.id]);
      expect(broker.logs.join("\n")).not.toContain("a receiver's own words");
    },
  );

  test("one that never answers is left in time, and tried again", async () => {
    receiver.answer("silence");
    const job = await insertHeld();
    await send(job, 100);
    expect(await stored(job)).toMatchObject({ state: "waiting", lastError: "did not answer in time" });
  });

  test("one that is down is tried again, for a day, and then given up aloud", async () => {
    await receiver.close();
    const job = await insertHeld();
    await send(job);
    expect(await stored(job)).toMatchObject({ state: "waiting", lastError: "could not be reached" });
    broker.advance(25 * hourMs);
    await expect.poll(async () => (await stored(job))?.state, { timeout: 5_000 }).toBe("failed");
    expect(broker.logs.some((line) => line.includes("gave up on it") && line.includes(notice.message))).toBe(
      true,
    );
    receiver = await startReceiver();
  });
});
