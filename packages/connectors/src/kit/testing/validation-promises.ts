import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Connector, Secret, type SecretValues, type ValidationResult } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fault, RunningEmulator, StartEmulator } from "../emulator.ts";
import { changeEnd } from "./change-end.ts";
import { openEmulatorTarget, orgSecrets, testContext } from "./harness.ts";
import { mark, markedBody, wrongAnswers } from "./marked-body.ts";

export type ValidationSamples = {
  /** Well-formed but wrong values by secret field; by default the last letters are changed. */
  readonly corrupted?: Readonly<Record<string, string>>;
  /** Ill-formed values by field; by default a text with spaces. */
  readonly malformed?: Readonly<Record<string, string>>;
  /** Other fields that may be named when a field is wrong, since the pair is checked together. */
  readonly pairs?: readonly (readonly string[])[];
};

/** What a connector promises when an org key is checked. */
export function describeValidation(
  connector: Connector,
  start: StartEmulator,
  samples: ValidationSamples,
): void {
  const { validateOrgKey, spec } = connector;
  if (validateOrgKey === undefined) return;
  const secretNames = spec.orgFields.filter(({ secret }) => secret).map(({ name }) => name);
  const patterned = spec.orgFields.filter(({ pattern }) => pattern !== undefined).map(({ name }) => name);

  describe("checking an org key", () => {
    let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
    let emulator: RunningEmulator;
    beforeAll(async () => {
      target = await openEmulatorTarget(start);
      emulator = target.emulator;
    });
    afterAll(() => target?.close());
    beforeEach(() => emulator.faults.clear());

    const check = (fields: SecretValues = target.orgFields, signal?: AbortSignal) =>
      validateOrgKey(
        testContext({ baseUrl: target.baseUrl, ...(signal === undefined ? {} : { signal }) }),
        fields,
      );
    const everyCall = (fault: Fault) => emulator.faults.add(fault, 60);
    const expectQuiet = (result: ValidationResult) => {
      const text = JSON.stringify(result);
      expect(
        [mark, ...orgSecrets(connector, target.orgFields)].filter((word) => text.includes(word)),
      ).toEqual([]);
    };

    test("accepts the right key, and says nothing of its value", async () => {
      const result = await check();
      expect(result).toMatchObject({ status: "valid" });
      expectQuiet(result);
    });

    test.each(secretNames)("refuses a wrong %s by name", async (name) => {
      const right = target.orgFields[name]?.reveal() ?? "";
      const wrong = samples.corrupted?.[name] ?? changeEnd(right);
      const result = await check({ ...target.orgFields, [name]: Secret.of(wrong) });
      expect(result).toMatchObject({ status: "invalid" });
      const mates = samples.pairs?.find((pair) => pair.includes(name)) ?? [name];
      expect(mates).toContain(result.status === "invalid" ? result.envVar : undefined);
      expect(JSON.stringify(result)).not.toContain(wrong);
      expectQuiet(result);
    });

    test("proves a key dead of which nothing is accepted any more", async () => {
      const dead = secretNames.map((name): [string, Secret] => {
        const right = target.orgFields[name]?.reveal() ?? "";
        return [name, Secret.of(samples.corrupted?.[name] ?? changeEnd(right))];
      });
      const result = await check({ ...target.orgFields, ...Object.fromEntries(dead) });
      expect(result).toMatchObject({ status: "invalid", code: "rejected" });
    });

    test.each(patterned)("refuses an ill-formed %s without asking the provider", async (name) => {
      everyCall({ kind: "status", status: 500 });
      const waiting = emulator.faults.size();
      const wrong = samples.malformed?.[name] ?? "not a value of this form";
      const result = await check({ ...target.orgFields, [name]: Secret.of(wrong) });
      expect(result).toMatchObject({ status: "invalid", envVar: name, code: "malformed" });
      expect(emulator.faults.size()).toBe(waiting);
      expect(JSON.stringify(result)).not.toContain(wrong);
    });

    test("cannot tell when nothing listens", async () => {
      const other = await openEmulatorTarget(start);
      await other.close();
      const result = await validateOrgKey(testContext({ baseUrl: other.baseUrl }), target.orgFields);
      expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
      expectQuiet(result);
    });

    test("cannot tell when the connection is cut", async () => {
      everyCall({ kind: "cut" });
      expect(await check()).toMatchObject({ status: "undetermined", code: "provider_down" });
    });

    test("cannot tell when the provider limits the rate, and says how long to wait", async () => {
      everyCall({ kind: "status", status: 429, headers: { "retry-after": "7" }, body: markedBody });
      const result = await check();
      expect(result).toMatchObject({
        status: "undetermined",
        code: "rate_limited",
        retryAfterSeconds: 7,
      });
      expectQuiet(result);
    });

    test.each([500, 502, 503, 504])("cannot tell when the provider answers %i", async (status) => {
      everyCall({ kind: "status", status, body: markedBody });
      const result = await check();
      expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
      expectQuiet(result);
    });

    test.each(wrongAnswers)(
      "cannot tell when the provider answers 200 with %s",
      async (_name, type, body) => {
        everyCall({ kind: "status", status: 200, headers: { "content-type": type }, body });
        const result = await check();
        expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
        expectQuiet(result);
      },
    );

    test.each([301, 302, 303, 307, 308])("goes nowhere that an answer of %i leads to", async (status) => {
      const asked: string[] = [];
      const elsewhere = createServer(({ url = "" }, response) => {
        asked.push(url);
        response.end("{}");
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
      try {
        const { port } = elsewhere.address() as AddressInfo;
        everyCall({ kind: "status", status, headers: { location: `http://127.0.0.1:${port}/v1/keys` } });
        const result = await check();
        expect([result.status, asked]).toEqual(["undetermined", []]);
        expectQuiet(result);
      } finally {
        elsewhere.close();
      }
    });

    test("cannot tell when the time is up", async () => {
      everyCall({ kind: "delay", ms: 60_000 });
      const waiting = emulator.faults.size();
      const controller = new AbortController();
      const result = check(target.orgFields, controller.signal);
      await expect.poll(() => emulator.faults.size(), { interval: 2 }).toBeLessThan(waiting);
      controller.abort(new DOMException("time is up", "TimeoutError"));
      expect(await result).toMatchObject({ status: "undetermined", code: "timeout" });
    });
  });
}
