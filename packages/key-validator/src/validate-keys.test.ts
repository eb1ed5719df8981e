import {
  type ConnectorContext,
  type FieldSpec,
  ProviderError,
  type ProviderErrorCode,
  secretValues,
} from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { validateKeys } from "./validate-keys.ts";

const fields: readonly FieldSpec[] = [
  { name: "account", label: "account id", secret: false, pattern: "^[a-z]+$", example: "acme" },
  { name: "key", label: "secret key", secret: true, helpUrl: "https://example.com/keys" },
  { name: "region", label: "region", secret: false, optional: true },
];
const context: ConnectorContext = {
  fetch: () => Promise.reject(new Error("no network in this test")),
  signal: new AbortController().signal,
  now: () => 0,
  randomBytes: (size) => new Uint8Array(size),
};
const values = secretValues({ account: "acme", key: "canary-key" });
const run = (check: Parameters<typeof validateKeys>[0]["check"], given = values, timeoutMs = 1000) =>
  validateKeys({ fields, values: given, check, context, timeoutMs });

describe("validateKeys", () => {
  it.each([
    ["missing", { account: "acme" }, "key", "is missing"],
    ["of the wrong shape", { account: "ACME!", key: "k" }, "account", "does not look like “account id”"],
    ["unknown", { account: "acme", key: "k", extra: "x" }, "extra", "is not a field"],
  ])("names a field that is %s without asking the provider", async (_what, given, envVar, message) => {
    const answer = await run(() => Promise.reject(new Error("asked")), secretValues(given));
    expect(answer).toMatchObject({ status: "invalid", code: "malformed", envVar });
    expect(JSON.stringify(answer)).toContain(message);
  });

  it.each<[ProviderErrorCode, string, string]>([
    ["unauthorized", "invalid", "rejected"],
    ["forbidden", "invalid", "lacks_permission"],
    ["timeout", "undetermined", "timeout"],
    ["network", "undetermined", "provider_down"],
    ["unavailable", "undetermined", "provider_down"],
    ["invalid_response", "undetermined", "provider_down"],
    ["rate_limited", "undetermined", "rate_limited"],
  ])("reads a provider's %s as %s", async (thrown, status, code) => {
    const answer = await run(() => Promise.reject(new ProviderError("acme", thrown, "answered", {})));
    expect(answer).toMatchObject({ status, code });
  });

  it("answers undetermined when a check never ends", async () => {
    expect(await run(() => new Promise(() => {}), values, 20)).toMatchObject({
      status: "undetermined",
      code: "timeout",
    });
  });

  it("lets a mistake in a connector's code be seen", async () => {
    await expect(run(() => Promise.reject(new TypeError("mistake")))).rejects.toThrow("mistake");
  });
});
