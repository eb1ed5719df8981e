import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createStoreWriter } from "./testing/store-writer.ts";

// Waits for the store's lock as long as the broker does: seconds are the point.

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

describe("an audit that cannot be written", () => {
  it("fails reads and writes with 503 within their time, makes /health/ready say so, and heals", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const workload = await broker.createBuildToken(id);
    expect((await broker.call("GET", "/health/ready", { token: null })).status).toBe(200);
    const letGo = await (await createStoreWriter(broker.dataDirectory)).hold();
    const started = performance.now();
    const answers = await Promise.all([
      broker.call("GET", `/v1/builds/${id}`),
      broker.call("GET", `/v1/builds/${id}/env`),
      broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } }),
      broker.call("GET", "/v1/builds", { token: workload }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(answers.map(({ text }) => text).join("")).not.toMatch(/klo_|JWT|leases/);
    const ready = await broker.call("GET", "/health/ready", { token: null });
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({
      parts: expect.arrayContaining([{ name: "audit", ok: false, message: expect.any(String) }]),
    });
    // Five seconds for the lock, twice for what came while others waited, and two for the health check.
    expect(performance.now() - started).toBeLessThan(20_000);
    await letGo();
    expect((await broker.call("GET", `/v1/builds/${id}`)).status).toBe(200);
    // So long an answer is kept.
    broker.advance(1_000);
    expect((await broker.call("GET", "/health/ready", { token: null })).status).toBe(200);
  }, 30_000);
});
