import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Connector,
  type ConnectorContext,
  Secret,
  type SecretValues,
  secretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isTyped } from "../check-own-values.ts";
import { type StartEmulator, type UserEnvKind, type UserEnvOptions, userEnvKinds } from "../emulator.ts";
import { changeEnd } from "./change-end.ts";
import { openEmulatorTarget, orgSecrets, testContext } from "./harness.ts";
import { mark } from "./marked-body.ts";
import { describeTrouble } from "./user-trouble.ts";

export type UserSamples = {
  /**
   * What a user is told of keys of each kind, as `toMatchObject` takes it. A kind that is left out is one that
   * the provider does not have, and its stand-in refuses to make.
   */
  readonly userKinds?: Partial<Record<Exclude<UserEnvKind, "good">, Record<string, unknown>>>;
  /** `nobody`: the provider has no call by which these values could be asked about, so their form decides. */
  readonly userChecks?: "nobody";
  /** Variables of which any may be named when one of them is wrong, since they are checked together. */
  readonly userPairs?: readonly (readonly string[])[];
};

/** What a connector promises of the values that a user types. */
export function describeUserKeys(connector: Connector, start: StartEmulator, samples: UserSamples): void {
  const { spec } = connector;
  const typed = spec.env.filter(isTyped);
  // The secret of a webhook is for calls that come in: no provider can be asked about it.
  const provable = typed.filter(({ secret, role }) => secret && role !== "webhook_secret");
  const kinds = userEnvKinds.filter((kind) => kind !== "good");
  const offered = kinds.filter((kind) => samples.userKinds?.[kind] !== undefined);

  describe("checking a user's own keys", () => {
    let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
    let good: SecretValues;
    const userEnv = async (options?: UserEnvOptions) =>
      secretValues(await target.emulator.createUserEnv(options));
    const check = (values: SecretValues = good, context: Partial<ConnectorContext> = {}) =>
      connector.validate(testContext({ baseUrl: target.baseUrl, ...context }), values);
    const expectQuiet = (result: ValidationResult, values: SecretValues = good) => {
      const secrets = typed.filter(({ secret }) => secret).map(({ name }) => values[name]?.reveal());
      const text = JSON.stringify(result);
      expect([mark, ...secrets].filter((word) => word !== undefined && text.includes(word))).toEqual([]);
    };

    beforeAll(async () => {
      target = await openEmulatorTarget(start);
      good = await userEnv();
    });
    afterAll(() => target?.close());

    test("accepts good ones, says what they can do and nothing of their value", async () => {
      const result = await check();
      expect(result).toMatchObject({ status: "valid", account: expect.any(String) });
      const capabilities = result.status === "valid" ? result.capabilities : [];
      const worksMin = samples.userChecks === "nobody" ? 1 : 2;
      expect(capabilities.filter(({ state }) => state === "works").length).toBeGreaterThanOrEqual(worksMin);
      expect(capabilities.filter(({ state }) => state === "missing")).toEqual([]);
      // A page shows the names as they are.
      expect(capabilities.filter(({ name }) => !/^[A-Z][^_]+$/.test(name))).toEqual([]);
      expectQuiet(result);
    });

    test.each(["test", "live"] as const)(
      "accepts them in %s mode, and tells the mode if there is one",
      async (mode) => {
        const result = await check(await userEnv({ mode }));
        expect(result).toMatchObject({ status: "valid" });
        expect([mode, undefined]).toContain(result.status === "valid" ? result.mode : "");
      },
    );

    test.each(provable.map(({ name }) => name))("refuses a wrong %s by name", async (name) => {
      const wrong = changeEnd(good[name]?.reveal() ?? "");
      const result = await check({ ...good, [name]: Secret.of(wrong) });
      expect(result).toMatchObject({ status: "invalid", remedy: expect.stringMatching(/^[A-Z]/) });
      const mates = samples.userPairs?.find((pair) => pair.includes(name)) ?? [name];
      expect(mates).toContain(result.status === "invalid" ? result.envVar : undefined);
      expect(JSON.stringify(result)).not.toContain(wrong);
      expectQuiet(result);
    });

    test.each(typed.map(({ name }) => name))(
      "refuses an ill-formed %s without asking anyone",
      async (name) => {
        const wrong = "not a value of this form";
        const never = () => Promise.reject(new Error("asked"));
        const result = await check({ ...good, [name]: Secret.of(wrong) }, { fetch: never });
        expect(result).toMatchObject({ status: "invalid", envVar: name, code: "malformed" });
        expect(JSON.stringify(result)).not.toContain(wrong);
      },
    );

    test.each(typed.filter(({ optional }) => optional !== true).map(({ name }) => name))(
      "says that %s is missing",
      async (name) => {
        const { [name]: _, ...rest } = good;
        expect(await check(rest)).toMatchObject({ status: "invalid", envVar: name, code: "malformed" });
      },
    );

    test.each(offered)("tells of %s keys what they are", async (kind) => {
      const values = await userEnv({ kind });
      const result = await check(values);
      expect(result).toMatchObject(samples.userKinds?.[kind] ?? {});
      const capabilities = result.status === "valid" ? result.capabilities : [];
      expect(capabilities.filter(({ state, remedy }) => state === "missing" && remedy === undefined)).toEqual(
        [],
      );
      expectQuiet(result, values);
    });

    if (samples.userChecks === "nobody") {
      test("calls no provider", async () => {
        const never = () => Promise.reject(new Error("asked"));
        expect(await check(undefined, { fetch: never })).toMatchObject({ status: "valid" });
      });
      return;
    }
    describeTrouble(check, expectQuiet);
  });

  describe("a user's account at the stand-in", () => {
    let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
    beforeAll(async () => {
      target = await openEmulatorTarget(start);
    });
    afterAll(() => target?.close());

    test("has exactly the values that a user types, all that are needed among them", async () => {
      const values = await target.emulator.createUserEnv();
      const names = typed.map(({ name }) => name);
      expect(Object.keys(values).filter((name) => !names.includes(name))).toEqual([]);
      const needed = typed.filter(({ optional }) => optional !== true).map(({ name }) => name);
      expect(needed.filter((name) => values[name] === undefined)).toEqual([]);
    });

    test("is another one every time, and never the org's", async () => {
      const [first, second] = [await target.emulator.createUserEnv(), await target.emulator.createUserEnv()];
      const shared = provable.filter(({ name }) => first[name] === second[name]);
      expect(shared.map(({ name }) => name)).toEqual([]);
      const given = Object.values(first);
      const secrets = orgSecrets(connector, target.orgFields);
      expect(secrets.filter((secret) => given.some((value) => value.includes(secret)))).toEqual([]);
    });

    test.each(kinds.filter((kind) => !offered.includes(kind)))("has no %s keys", async (kind) => {
      await expect(target.emulator.createUserEnv({ kind })).rejects.toThrow(kind);
    });

    test("is still there after a restart", async () => {
      const stateDirectory = await mkdtemp(join(tmpdir(), "keyloan-emulator-"));
      try {
        const first = await start({ stateDirectory, port: 0 });
        const values = secretValues(await first.createUserEnv());
        await first.close();
        const second = await start({ stateDirectory, port: first.port });
        const result = await connector.validate(testContext({ baseUrl: second.baseUrl }), values);
        await second.close();
        expect(result).toMatchObject({ status: "valid" });
      } finally {
        await rm(stateDirectory, { recursive: true, force: true });
      }
    });
  });
}
