import { answerBytesMax, ProviderError } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { boundedFetch, send } from "./http.ts";
import { testContext } from "./testing/index.ts";
import { transportError } from "./transport-error.ts";
import { undetermined, undeterminedFrom } from "./validation-results.ts";

class BlockedAddressError extends ProviderError {
  constructor() {
    super("address", "network", "The address points into a private network.", { remedy: "Give another." });
  }
}
const named = Object.assign(new Error("10.0.0.1 is private"), { name: "BlockedAddressError" });
const refusals: readonly [string, unknown, string][] = [
  ["its own error", new BlockedAddressError(), "The address points into a private network. Give another."],
  [
    "its own error as the cause of fetch's",
    new TypeError("fetch failed", { cause: new BlockedAddressError() }),
    "The address points into a private network. Give another.",
  ],
  [
    "an error of that name",
    named,
    "The address is not one that Keyloan may call. Enter the address as the provider shows it.",
  ],
];

describe("an address that the guarded fetch refuses", () => {
  test.each(refusals)("is told as a blocked address, thrown as %s", async (_how, thrown, message) => {
    const context = testContext({ fetch: () => Promise.reject(thrown) });
    const request = { provider: "acme", context, method: "GET", url: "https://acme.example" } as const;
    const errors = [
      await send(request).catch((error: unknown) => error),
      await boundedFetch("acme", context)("https://acme.example").catch((error: unknown) => error),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({ code: "network", provider: "acme" });
      expect(undeterminedFrom(error)).toEqual({ status: "undetermined", code: "blocked_address", message });
    }
  });

  test("stays one when it is read twice", () => {
    const once = transportError("acme", named);
    expect(transportError("acme", once)).toMatchObject({ message: once.message, remedy: once.remedy });
  });
});

describe("what an SDK gets to read", () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  test.each([
    ["that says how long it is", { "content-length": "256" }],
    ["that does not", {}],
  ])("is every byte of an answer %s", async (_how, headers: Record<string, string>) => {
    const context = testContext({ fetch: async () => new Response(bytes, { headers }) });
    const response = await boundedFetch("acme", context)("https://acme.example");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });

  test("is nothing of an answer larger than the limit", async () => {
    const context = testContext({ fetch: async () => new Response(new Uint8Array(answerBytesMax + 1)) });
    await expect(boundedFetch("acme", context)("https://acme.example")).rejects.toMatchObject({
      code: "invalid_response",
    });
  });
});

describe("a failure that says nothing of a key", () => {
  test.each([
    ["timeout", "timeout"],
    ["rate_limited", "rate_limited"],
    ["network", "provider_down"],
    ["unavailable", "provider_down"],
    ["invalid_response", "provider_down"],
  ] as const)("%s is told as %s", (code, told) => {
    const error = new ProviderError("acme", code, "failed", { retryAfterSeconds: 7 });
    expect(undeterminedFrom(error)).toMatchObject({ code: told, retryAfterSeconds: 7 });
  });

  test.each(["unauthorized", "forbidden", "not_found", "rejected"] as const)(
    "%s is the caller's to judge",
    (code) => {
      const error = new ProviderError("acme", code, "failed");
      expect(() => undeterminedFrom(error)).toThrow(error);
      expect(undetermined(error)).toMatchObject({ code: "provider_down" });
    },
  );
});
