import type { AuditEventRow } from "@keyloan/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createCode } from "./testing/open-page.ts";

let broker: TestBroker;
let buildId: string;
let token: string;
beforeEach(async () => {
  broker = await createTestBroker({ emulators: [] });
  buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  token = await broker.createBuildToken(buildId);
});
afterEach(() => broker.close());

const other = (number: number) => `bld_${String(number).padStart(20, "0")}`;
const rows = async (): Promise<(AuditEventRow & { told: Record<string, unknown> })[]> => {
  const all = await broker.running().deps.store.read.auditEvents.list({ limit: 200 });
  return all
    .filter(({ actor, action }) => actor.startsWith("workload:") || action === "handoff.refused")
    .map((row) => ({ ...row, told: JSON.parse(row.details) as Record<string, unknown> }))
    .reverse();
};
const flood = (times: number, path: (index: number) => string, method = "GET") =>
  Promise.all(Array.from({ length: times }, (_, index) => broker.call(method, path(index), { token })));
const writeDue = () => broker.running().deps.refusals.writeDue();

describe("refusals of one caller", () => {
  it("write the first at once and the others as one row, however many there are", async () => {
    const answers = await flood(300, (index) => `/v1/builds/${other(index)}/env`);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    const first = await rows();
    expect(first.map(({ action }) => action)).toEqual(["request.refused"]);
    await writeDue();
    expect(await rows()).toHaveLength(1);
    broker.advance(60_000);
    await writeDue();
    await writeDue();
    const [, counted, ...more] = await rows();
    expect(more).toEqual([]);
    expect(counted).toMatchObject({
      action: "request.refused",
      actor: first[0]?.actor,
      entity: first[0]?.entity,
      told: {
        ...first[0]?.told,
        repeats: 299,
        otherEntities: true,
        firstRequestId: first[0]?.requestId,
      },
    });
    expect(answers.map(({ headers }) => headers.get("x-request-id"))).toContain(counted?.requestId);
  });

  it("are on disk before the first of them is answered", async () => {
    const [answer] = await flood(1, () => "/v1/builds");
    expect((await rows()).map(({ requestId }) => requestId)).toEqual([answer?.headers.get("x-request-id")]);
  });

  it("are counted for each route and reason", async () => {
    for (const _ of [1, 2, 3]) {
      await flood(1, () => "/v1/builds");
      await flood(1, () => `/v1/builds/${buildId}/env?format=xml`);
      await flood(1, () => `/v1/builds/${other(1)}/env`);
    }
    broker.advance(60_000);
    await writeDue();
    const all = await rows();
    expect(all.map(({ told }) => [told.route, told.code, told.repeats])).toEqual([
      ["/v1/builds", "forbidden", undefined],
      ["/v1/builds/{id}/env", "invalid_input", undefined],
      ["/v1/builds/{id}/env", "forbidden", undefined],
      ["/v1/builds", "forbidden", 2],
      ["/v1/builds/{id}/env", "invalid_input", 2],
      ["/v1/builds/{id}/env", "forbidden", 2],
    ]);
  });

  it("begin anew after a minute, also when nothing was written in between", async () => {
    await flood(5, () => "/v1/builds");
    broker.advance(60_000);
    await flood(5, () => "/v1/builds");
    expect((await rows()).map(({ told }) => told.repeats)).toEqual([undefined, undefined, 4]);
  });

  it("are written at a stop, so that none is lost", async () => {
    await flood(20, () => "/v1/builds");
    await broker.restart();
    const repeats = (await rows()).map(({ told }) => told.repeats ?? 1);
    expect(repeats).toEqual([1, 19]);
    expect((await broker.call("POST", "/v1/audit/verify")).body).toMatchObject({
      verdict: "self_consistent",
    });
  });

  it("for too many requests are counted like the others, and write no more", async () => {
    await broker.restart({ rateLimitPerSecond: 0.002 });
    const answers = await flood(1, () => `/v1/builds/${buildId}/env`);
    answers.push(...(await flood(200, () => `/v1/builds/${buildId}/env`)));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(200);
    broker.advance(60_000);
    await writeDue();
    const route = "/v1/builds/{id}/env";
    const all = await rows();
    expect(all.map(({ action, told }) => [action, told.code, told.repeats, told.route])).toEqual([
      ["env.read", undefined, undefined, undefined],
      ["request.refused", "rate_limited", undefined, route],
      ["request.refused", "rate_limited", 199, route],
    ]);
  });

  it("count the openings of a link that was used", async () => {
    const code = await createCode(broker, buildId);
    const open = () =>
      broker.call("POST", "/v1/session", {
        token: null,
        body: { code },
        headers: { "x-keyloan-session": "1" },
      });
    expect((await open()).status).toBe(201);
    const answers = await Promise.all(Array.from({ length: 30 }, open));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    broker.advance(60_000);
    await writeDue();
    expect((await rows()).map(({ action, told }) => [action, told.repeats])).toEqual([
      ["handoff.refused", undefined],
      ["handoff.refused", 29],
    ]);
  });
});

describe("what a caller names", () => {
  it.each([
    ["a path", "..%2F..%2Fetc%2Fpasswd"],
    ["a long text", "x".repeat(8_000)],
    ["line breaks", "bld_%0A%0Dforged%20row"],
    ["another script", encodeURIComponent("сборка‮⁦")],
    ["a word", "everything"],
    ["a secret", "sk_test_51Habcdefghijklmnop"],
    ["an id with one character too many", `${other(1)}0`],
    ["a NUL", "%00"],
  ])("stands in the audit as a hash when it is no id: %s", async (_what, text) => {
    const answers = [
      await broker.call("GET", `/v1/builds/${text}/env`, { token }),
      await broker.call("GET", `/v1/builds/${text}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 422]);
    const all = await broker.running().deps.store.read.auditEvents.list({ limit: 2 });
    expect(all.map(({ entity }) => entity)).toEqual([
      expect.stringMatching(/^sha256:[0-9a-f]{32}$/),
      expect.stringMatching(/^sha256:[0-9a-f]{32}$/),
    ]);
    expect(all[0]?.entity).toBe(all[1]?.entity);
    expect(JSON.stringify(all)).not.toContain(decodeURIComponent(text).slice(0, 200).trim() || "\\u0000");
  });

  it("stands there as it is when it is one", async () => {
    await broker.call("GET", `/v1/builds/${other(7)}/env`, { token });
    expect((await rows())[0]?.entity).toBe(other(7));
  });
});

describe("the id that a client gives its request", () => {
  const clientRequestId = "from.the-client_7";
  const headers = { "x-request-id": clientRequestId };

  it("stands beside ours in the answer, the log and every row, and never instead", async () => {
    const answers = [
      await broker.call("GET", `/v1/builds/${buildId}/env`, { token, headers }),
      await broker.call("GET", "/v1/builds", { token, headers }),
      await broker.call("POST", `/v1/builds/${buildId}/renew`, { body: { ttlSeconds: 7_200 }, headers }),
      await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] }, headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 200, 201]);
    const ids = answers.map((answer) => answer.headers.get("x-request-id"));
    expect(ids.every((id) => /^req_[0-9a-z]{20}$/.test(id ?? ""))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(answers[1]?.body).toMatchObject({ error: { requestId: ids[1], clientRequestId } });
    const all = await broker.running().deps.store.read.auditEvents.list({ limit: 200 });
    const told = ids.map((id) => all.filter(({ requestId }) => requestId === id));
    expect(told.every((found) => found.length > 0)).toBe(true);
    expect(told.flat().every(({ details }) => JSON.parse(details).clientRequestId === clientRequestId)).toBe(
      true,
    );
    for (const id of ids) {
      expect(broker.logs.some((line) => line.includes(id ?? "") && line.includes(clientRequestId))).toBe(
        true,
      );
    }
  });

  it.each([
    ["is long", "x".repeat(65)],
    ["holds a blank", "a b"],
    ["holds markup", "<b>"],
    ["is empty", ""],
  ])("is dropped when it %s", async (_what, given) => {
    const answer = await broker.call("GET", "/v1/builds", { token, headers: { "x-request-id": given } });
    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain("clientRequestId");
    expect((await rows())[0]?.details).not.toContain("clientRequestId");
  });
});
