// The body that may hold a code is read before anybody is limited. What is wrong with it (nested too deep, cut off, late)
// is nobody's way around the limits, the audit or the log.
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

const times = 30;
const deep = `${"[".repeat(40)}${"]".repeat(40)}`;
let broker: TestBroker;
let token: string;

beforeEach(async () => {
  broker = await createTestBroker({ emulators: [] });
  broker.stopClock();
  const build = await broker.createBuild({ connectors: ["app-secrets"] });
  token = await broker.createBuildToken(build.id);
  await broker.restart({ rateLimitPerSecond: 0.002 });
});
afterEach(() => broker.close());

/** Lines that are written even where the log is not at `debug`. */
const linesSince = (before: number) =>
  broker.logs
    .slice(before)
    .filter((line) => !/"status":429/.test(line) && /answered|request failed/.test(line));

const nested = async (as: string | null) =>
  (await broker.call("POST", "/v1/session", { token: as, body: deep, headers: { "x-keyloan-session": "1" } }))
    .status;

/** Sends headers and a part of a body, and hangs up. */
async function cutOff(): Promise<void> {
  const socket = connect(Number(new URL(broker.url).port), "127.0.0.1").on("error", () => {});
  socket.write(
    'POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"code":',
  );
  await new Promise((resolve) => setTimeout(resolve, 30));
  socket.destroy();
  await once(socket, "close");
}

describe("an address that may do no more", () => {
  beforeEach(async () => {
    await expect.poll(async () => (await broker.call("GET", "/v1/builds", { token: null })).status).toBe(429);
  });

  it("is refused whatever its body is", async () => {
    const before = broker.logs.length;
    const answers = [];
    for (let time = 0; time < times; time++) answers.push(await nested(null));
    expect.soft(new Set(answers)).toEqual(new Set([429]));
    expect.soft(linesSince(before).length).toBeLessThanOrEqual(1);
  });

  it("fills no log with errors of ours by hanging up", async () => {
    const before = broker.logs.length;
    for (let time = 0; time < times; time++) await cutOff();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(linesSince(before).length).toBeLessThanOrEqual(1);
  });
});

it("a token that may do no more is refused whatever its body is", async () => {
  const env = () => broker.call("GET", "/v1/builds/bld_00000000000000000000/env", { token });
  await expect.poll(async () => (await env()).status).toBe(429);
  const answers = [];
  for (let time = 0; time < times; time++) answers.push(await nested(token));
  expect(new Set(answers)).toEqual(new Set([429]));
});

it("what a known caller is refused there is audited like any other refusal", async () => {
  await broker.restart({ rateLimitPerSecond: 0 });
  const rows = async () =>
    (await broker.running().deps.store.read.auditEvents.list({ limit: 200 })).filter(({ action }) =>
      /^request\./.test(action),
    ).length;
  const before = await rows();
  expect(await nested(token)).toBe(400);
  expect(await rows()).toBe(before + 1);
});
