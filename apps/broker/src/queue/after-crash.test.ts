import type { JobList } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { byJob } from "../change.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";
import { giveBackAfterCrash } from "./after-crash.ts";
import { newHeldJob } from "./new-job.ts";
import { never } from "./require-action.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

const crash = async (kind: "prove-dead" | "notify", attempts: number) => {
  const { deps } = broker.running();
  const made = newHeldJob(deps, { kind, entityId: `entity-of-${kind}-${attempts}` });
  const job = { ...made, attempts };
  await deps.store.write([], (tables) => tables.jobs.insertAll([job]));
  await deps.change(byJob(job), [], (tx) => giveBackAfterCrash(deps, tx, job));
  return { job, after: await deps.store.read.jobs.find(job.id), now: deps.now() };
};

describe("a job whose handler breaks", () => {
  test.each([
    [1, 5_000],
    [7, 600_000],
  ])("is tried again after its run %d, at most %d ms later", async (attempts, mostMs) => {
    const { after, now } = await crash("prove-dead", attempts);
    expect(after).toMatchObject({ state: "waiting", lockedBy: null, lastError: "unexpected failure" });
    expect(after?.runAfter).toBeLessThanOrEqual(now + mostMs);
    expect(after?.runAfter).toBeGreaterThan(now);
  });

  test("that goes on breaking is told to a person, and is still tried every hour", async () => {
    const { job, after, now } = await crash("prove-dead", 8);
    expect(after).toMatchObject({ state: "requires_action", lockedBy: null });
    expect(after?.runAfter).toBeLessThanOrEqual(now + 3_600_000);
    expect(JSON.stringify(after?.requiredAction?.steps)).toContain(job.id);
    const told = (await broker.call("GET", "/v1/jobs?kind=notify")).body as JobList;
    expect(told.jobs).toHaveLength(1);
  });

  test("keeps what was written with it while it ran: nobody is reminded twice", async () => {
    const { deps } = broker.running();
    const requiredAction = { since: 1, dueAt: 2, steps: [] };
    const made = newHeldJob(deps, { kind: "prove-dead", entityId: "reminded-of" });
    const job = { ...made, attempts: 9, state: "requires_action" as const, requiredAction };
    await deps.store.write([], (tables) => tables.jobs.insertAll([job]));
    await deps.store.write([], (tables) => tables.jobs.setReminded(job.id, requiredAction, 3));
    await deps.change(byJob(job), [], (tx) => giveBackAfterCrash(deps, tx, job));
    const after = await deps.store.read.jobs.find(job.id);
    expect(after?.requiredAction).toMatchObject({ since: 1, dueAt: 2, remindedAt: 3 });
  });

  test("is never told of with a notice when it is a notice itself", async () => {
    expect((await crash("notify", 50)).after).toMatchObject({ state: "waiting" });
  });
});

describe("a job under which the broker ends each time", () => {
  const kill = async (kind: "archive" | "prove-dead", begun: number) => {
    const { deps } = broker.running();
    const made = newHeldJob(deps, { kind, entityId: `gone-${kind}-${begun}` });
    // As a process leaves it that was killed: held until a time that is over.
    const left = { ...made, attempts: begun, lockedUntil: deps.now() - 1, runAfter: 0 };
    await deps.store.write([], (tables) => tables.jobs.insertAll([left]));
    await finishWork(deps, left.entityId);
    return { after: await deps.store.read.jobs.find(left.id), now: deps.now() };
  };

  test("is run again at first", async () => {
    expect((await kill("archive", 4)).after).toMatchObject({ state: "done", attempts: 5 });
  });

  test("and moves content is not run a sixth time, and requires manual action", async () => {
    const { after } = await kill("archive", 5);
    expect(after).toMatchObject({ state: "requires_action", lockedBy: null, runAfter: never });
    expect(JSON.stringify(after?.requiredAction?.steps)).toContain(`keyloan jobs retry ${after?.id}`);
  });

  test("and must come to its end is not run now, and is tried in an hour", async () => {
    const { after, now } = await kill("prove-dead", 5);
    expect(after).toMatchObject({ state: "requires_action", lockedBy: null });
    expect(after?.runAfter).toBeGreaterThan(now);
    expect(after?.runAfter).toBeLessThanOrEqual(now + 3_600_000);
  });
});
