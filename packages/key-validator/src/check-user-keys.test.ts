import {
  type ConnectorContext,
  type ConnectorSpec,
  ProviderError,
  type ProviderErrorCode,
  revealValues,
  secretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { createGuardedFetch } from "./address/guarded-fetch.ts";
import { checkUserKeys } from "./check-user-keys.ts";

const field = { secret: true, exposure: "server" } as const;
const spec: Pick<ConnectorSpec, "env" | "label"> = {
  label: "Acme",
  env: [
    {
      name: "KEY",
      label: "Secret key",
      pattern: "^sk_[a-z]{4,}$",
      helpUrl: "https://acme.example/keys",
      ...field,
    },
    { name: "URL", label: "Address", role: "address", optional: true, ...field, secret: false },
    { name: "REGION", label: "Region", own: { kind: "default", value: "auto" }, ...field, secret: false },
    { name: "SIGNING", label: "Signing secret", own: { kind: "generated", bytes: 32 }, ...field },
    { name: "SESSION", label: "Session token", own: { kind: "absent" }, ...field },
  ],
};
const valid = { status: "valid", capabilities: [], warnings: [] } as const satisfies ValidationResult;
const context: ConnectorContext = {
  fetch: createGuardedFetch({ resolve: async () => [{ address: "10.0.0.1", family: 4 }] }),
  signal: new AbortController().signal,
  now: () => 0,
  randomBytes: (size) => new Uint8Array(size),
};
type Options = Parameters<typeof checkUserKeys>[0];
const run = (change: Partial<Options> = {}, given: Record<string, string> = { KEY: "sk_mine" }) =>
  checkUserKeys({
    spec,
    values: secretValues(given),
    check: async () => valid,
    context,
    isOurs: () => false,
    ...change,
  });
const failing = (error: unknown) => ({ check: () => Promise.reject(error) });

describe("checkUserKeys", () => {
  it("gives the fixed and completed values that it checked", async () => {
    const seen: Record<string, string>[] = [];
    const check: Options["check"] = async (_context, values) => {
      seen.push(revealValues(values));
      return { ...valid, account: "acme", mode: "live" };
    };
    const answer = await run({ check }, { KEY: ' "sk_mine" ', SIGNING: "theirs", SESSION: "ours" });
    expect(seen).toEqual([{ KEY: "sk_mine", REGION: "auto" }]);
    expect(revealValues(answer.values)).toEqual(seen[0]);
    expect(answer.result).toMatchObject({ status: "valid", account: "acme", mode: "live" });
    expect(answer.repairs.map(({ name }) => name)).toEqual(["KEY", "KEY"]);
  });

  it("keeps a default that the user changed", async () => {
    expect(revealValues((await run({}, { KEY: "sk_mine", REGION: "eu" })).values)).toEqual({
      KEY: "sk_mine",
      REGION: "eu",
    });
  });

  it.each([
    ["misshapen", { KEY: "x" }, false, { code: "malformed", envVar: "KEY" }],
    ["missing", {}, false, { code: "malformed", envVar: "KEY" }],
    ["lent", { KEY: "sk_lent" }, true, { code: "ours", envVar: "KEY" }],
  ] as const)("asks no provider about a %s key", async (_what, given, isLent, expected) => {
    const { result } = await run({ isOurs: async () => isLent, ...failing(new Error("asked")) }, given);
    expect(result).toMatchObject({ status: "invalid", ...expected });
    expect(JSON.stringify(result)).not.toContain("sk_lent");
  });

  it("asks whether a key is ours after it was fixed, and of secrets alone", async () => {
    const asked: string[] = [];
    const isOurs: Options["isOurs"] = (value) => asked.push(value.reveal()) < 0;
    await run({ isOurs }, { KEY: "KEY=sk_mine", URL: "https://x.example" });
    expect(asked).toEqual(["sk_mine"]);
  });

  it.each<[ProviderErrorCode, string, string]>([
    ["unauthorized", "invalid", "rejected"],
    ["forbidden", "invalid", "lacks_permission"],
    ["quota_exceeded", "invalid", "lacks_permission"],
    ["timeout", "undetermined", "timeout"],
    ["rate_limited", "undetermined", "rate_limited"],
    ["network", "undetermined", "provider_down"],
    ["unavailable", "undetermined", "provider_down"],
    ["invalid_response", "undetermined", "provider_down"],
    ["not_found", "undetermined", "provider_down"],
    ["rejected", "undetermined", "provider_down"],
  ])("reads a provider's %s as %s, without words for operators", async (thrown, status, code) => {
    const { result } = await run(
      failing(new ProviderError("acme", thrown, "canary", { retryAfterSeconds: 7 })),
    );
    expect(result).toMatchObject({ status, code });
    expect(JSON.stringify(result)).not.toMatch(/canary|org key|keyloan|broker/);
    expect(JSON.stringify(result).includes('"retryAfterSeconds":7')).toBe(status === "undetermined");
  });

  it("keeps the pause a connector asks for", async () => {
    const check = async (): Promise<ValidationResult> => ({
      status: "undetermined",
      code: "rate_limited",
      message: "",
      retryAfterSeconds: 30,
    });
    expect((await run({ check })).result).toMatchObject({ code: "rate_limited", retryAfterSeconds: 30 });
  });

  it("answers after the time limit, also when a connector does not listen to its signal", async () => {
    const check = () => new Promise<ValidationResult>(() => {});
    expect((await run({ check, timeoutMs: 20 })).result).toMatchObject({
      status: "undetermined",
      code: "timeout",
    });
  });

  it("answers when the caller gives up", async () => {
    const check = () => new Promise<ValidationResult>(() => {});
    const stopped = { ...context, signal: AbortSignal.abort() };
    expect((await run({ check, context: stopped })).result).toMatchObject({ status: "undetermined" });
  });

  it("says which rule refused an address, whatever the connector makes of it", async () => {
    const down: ValidationResult = {
      status: "undetermined",
      code: "provider_down",
      message: "acme could not be reached",
    };
    const check: Options["check"] = async ({ fetch }) =>
      fetch("https://db.example.com/").then(
        () => valid,
        () => down,
      );
    const { result } = await run({ check }, { KEY: "sk_mine", URL: "https://db.example.com" });
    expect(result).toMatchObject({ status: "undetermined", code: "blocked_address" });
    expect(JSON.stringify(result)).toContain("“Address”: The address points into a private network.");
    expect(JSON.stringify(result)).not.toContain("10.0.0.1");
  });

  it("says so too when the connector lets the refusal through", async () => {
    const check: Options["check"] = async ({ fetch }) => fetch("https://127.0.0.1/").then(() => valid);
    expect((await run({ check })).result).toMatchObject({ status: "undetermined", code: "blocked_address" });
  });

  it("keeps what is certain beside a refused address", async () => {
    const check: Options["check"] = async ({ fetch }) =>
      fetch("https://127.0.0.1/").then(
        () => valid,
        () => valid,
      );
    expect((await run({ check })).result).toEqual(valid);
  });

  it("takes a mistake in a connector for no answer, and tells it", async () => {
    const mistakes: unknown[] = [];
    const mistake = new TypeError("canary");
    const { result } = await run({ ...failing(mistake), onMistake: (error) => mistakes.push(error) });
    expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
    expect(JSON.stringify(result)).not.toContain("canary");
    expect(mistakes).toEqual([mistake]);
  });

  it("lets a failure to ask whether a key is ours be seen", async () => {
    await expect(run({ isOurs: () => Promise.reject(new Error("no store")) })).rejects.toThrow("no store");
  });

  it("finds nothing to ask where nothing is typed", async () => {
    const made = { label: "Made", env: spec.env.filter(({ name }) => name === "SIGNING") };
    const answer = await run({ spec: made, ...failing(new Error("asked")) }, {});
    expect(answer).toEqual({ values: {}, repairs: [], result: valid });
  });
});
