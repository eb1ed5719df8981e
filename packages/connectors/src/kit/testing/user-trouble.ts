import type { ConnectorContext, SecretValues, ValidationResult } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFaultQueue, type Fault } from "../emulator.ts";
import { createEmulatorApp, serveEmulator } from "../emulator-app.ts";
import { markedBody, wrongAnswers } from "./marked-body.ts";

type Check = (values?: SecretValues, context?: Partial<ConnectorContext>) => Promise<ValidationResult>;

/** Every call is led to a server that does one thing wrong: whatever is wrong there, the keys are not. */
export function describeTrouble(check: Check, expectQuiet: (result: ValidationResult) => void): void {
  const faults = createFaultQueue();
  let broken: Awaited<ReturnType<typeof serveEmulator>>;
  beforeAll(async () => {
    broken = await serveEmulator(createEmulatorApp({ faults, errorBody: () => markedBody }), 0);
  });
  afterAll(() => broken?.close());
  beforeEach(() => faults.clear());

  const led: ConnectorContext["fetch"] = (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    return fetch(new URL(pathname + search, broken.baseUrl), init);
  };
  const checkWith = (fault: Fault, context: Partial<ConnectorContext> = {}) => {
    faults.add(fault, 60);
    return check(undefined, { fetch: led, ...context });
  };

  test("cannot tell when nothing listens", async () => {
    const refused = () => Promise.reject(new TypeError("fetch failed"));
    expect(await check(undefined, { fetch: refused })).toMatchObject({
      status: "undetermined",
      code: "provider_down",
    });
  });

  test("cannot tell when the connection is cut", async () => {
    expect(await checkWith({ kind: "cut" })).toMatchObject({ status: "undetermined", code: "provider_down" });
  });

  test("cannot tell when the rate is limited, and says how long to wait", async () => {
    const headers = { "retry-after": "7" };
    const result = await checkWith({ kind: "status", status: 429, headers, body: markedBody });
    expect(result).toMatchObject({ status: "undetermined", code: "rate_limited", retryAfterSeconds: 7 });
    expectQuiet(result);
  });

  test.each([500, 502, 503, 504])("cannot tell when the answer is %i", async (status) => {
    const result = await checkWith({ kind: "status", status, body: markedBody });
    expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
    expectQuiet(result);
  });

  test.each(wrongAnswers)("cannot tell when the answer is 200 with %s", async (_name, type, body) => {
    const result = await checkWith({ kind: "status", status: 200, headers: { "content-type": type }, body });
    expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
    expectQuiet(result);
  });

  test("cannot tell when the time is up", async () => {
    const controller = new AbortController();
    const result = checkWith({ kind: "delay", ms: 60_000 }, { signal: controller.signal });
    await expect.poll(() => faults.size(), { interval: 2 }).toBeLessThan(60);
    controller.abort(new DOMException("time is up", "TimeoutError"));
    expect(await result).toMatchObject({ status: "undetermined", code: "timeout" });
  });

  test("cannot tell when an address is one that may not be asked", async () => {
    const blocked = Object.assign(new Error("10.0.0.1"), { name: "BlockedAddressError" });
    const result = await check(undefined, { fetch: () => Promise.reject(blocked) });
    expect(result).toMatchObject({ status: "undetermined", code: "blocked_address" });
    expect(JSON.stringify(result)).not.toContain("10.0.0.1");
  });
}
