import { secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, testContext } from "../kit/testing/index.ts";
import { openAccountTokens } from "./account-tokens.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { withoutApiToken } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;

beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target.close());
beforeEach(() => target.emulator.faults.clear());

const check = (changes: Record<string, string> = {}) =>
  r2.validateOrgKey?.(testContext({ baseUrl: target.baseUrl }), {
    ...target.orgFields,
    ...secretValues(changes),
  });
const tokensPath = /^\/client\/v4\//;
const notVerify = /^\/client\/v4\/(?!.*verify)/;
const answer = (status: number, path: RegExp, code: number, message: string, success = false) =>
  target.emulator.faults.add(
    {
      kind: "status",
      path,
      status,
      body: JSON.stringify({ success, errors: [{ code, message }], messages: [], result: null }),
    },
    20,
  );

describe("the API token of an org key", () => {
  test("that is left out is not a failure: ending credentials is then missing, with what to do", async () => {
    const context = testContext({ baseUrl: target.baseUrl });
    const result = await r2.validateOrgKey?.(context, withoutApiToken(target.orgFields));
    expect(result).toMatchObject({ status: "valid" });
    expect(result?.status === "valid" ? result.capabilities.at(-1) : undefined).toMatchObject({
      name: "Can end credentials when a build closes",
      state: "missing",
      remedy: expect.stringContaining("API token"),
      helpUrl: expect.stringMatching(/^https:/),
    });
    expect(await r2.prepareOrgKey?.(context, withoutApiToken(target.orgFields))).toEqual({});
  });

  test("that works leaves no token behind", async () => {
    const tokens = openAccountTokens(testContext({ baseUrl: target.baseUrl }), target.orgFields);
    const names: string[] = [];
    const watching = testContext({
      baseUrl: target.baseUrl,
      fetch: async (input, init) => {
        if (init?.method === "POST") names.push(JSON.parse(String(init.body)).name);
        return fetch(input, init);
      },
    });
    expect(await r2.validateOrgKey?.(watching, target.orgFields)).toMatchObject({ status: "valid" });
    expect(names).toEqual([expect.stringMatching(/^keyloan-check-/)]);
    expect(await tokens?.find(names[0] ?? "")).toEqual([]);
  });

  test.each([
    ["empty", ""],
    ["a global API key by its prefix", `cfk_${"a".repeat(48)}`],
    ["a global API key by its length", "0".repeat(37)],
    ["the whole header", `Bearer ${"a".repeat(40)}`],
    ["followed by a line end", `${"a".repeat(40)}\n`],
  ])("that is %s is malformed", async (_, apiToken) => {
    expect(await check({ apiToken })).toMatchObject({ envVar: "apiToken", code: "malformed" });
  });

  test("that Cloudflare does not know is rejected", async () => {
    expect(await check({ apiToken: "x".repeat(40) })).toMatchObject({ envVar: "apiToken", code: "rejected" });
  });

  test("that is the token of a bucket is genuine but lacks the permission", async () => {
    const made: string[] = [];
    const watching = testContext({
      baseUrl: target.baseUrl,
      fetch: async (input, init) => {
        const isEnd = init?.method === "DELETE" && tokensPath.test(new URL(String(input)).pathname);
        if (isEnd) return Response.json({ success: true });
        const response = await fetch(input, init);
        const text = await response.clone().text();
        if (init?.method === "POST" && text.startsWith("{")) made.push(JSON.parse(text).result.value);
        return response;
      },
    });
    await r2.validateOrgKey?.(watching, target.orgFields);
    const result = await check({ apiToken: made[0] ?? "" });
    expect(result).toMatchObject({
      envVar: "apiToken",
      code: "lacks_permission",
      remedy: expect.stringContaining("Account API Tokens: Edit"),
    });
  });

  test.each([
    [
      "403 for all, its own check too",
      403,
      tokensPath,
      9109,
      "Unauthorized to access requested resource",
      "rejected",
    ],
    ["403 as no token", 403, notVerify, 9109, "Invalid access token", "rejected"],
    ["403 for all but its own check", 403, notVerify, 10000, "Authentication error", "lacks_permission"],
    ["400 as a header of no form", 400, notVerify, 6003, "Invalid request headers", "rejected"],
    ["a full account", 400, notVerify, 1, "Maximum number of tokens", "lacks_permission"],
  ])(
    "that is answered %s is invalid, without Cloudflare's words",
    async (_, status, path, code, message, reason) => {
      answer(status, path, code, message);
      const result = await check();
      expect(result).toMatchObject({ status: "invalid", envVar: "apiToken", code: reason });
      expect(JSON.stringify(result)).not.toContain(message);
    },
  );

  test("of an account without R2's permissions says so", async () => {
    const body = JSON.stringify({ success: true, errors: [], messages: [], result: [] });
    target.emulator.faults.add({ kind: "status", path: tokensPath, status: 200, body });
    expect(await check()).toMatchObject({
      envVar: "apiToken",
      code: "lacks_permission",
      remedy: expect.stringContaining("R2"),
    });
  });

  test.each([
    [{ kind: "status", status: 500 }, "provider_down"],
    [{ kind: "status", status: 404 }, "provider_down"],
    [{ kind: "status", status: 400 }, "provider_down"],
    [{ kind: "status", status: 200, body: "<html></html>" }, "provider_down"],
    [{ kind: "status", status: 429, headers: { "retry-after": "9" } }, "rate_limited"],
    [{ kind: "cut" }, "provider_down"],
    [{ kind: "cut_after" }, "provider_down"],
  ] as const)("cannot be told when the token API fails: %j", async (fault, code) => {
    target.emulator.faults.add({ ...fault, path: tokensPath }, 20);
    expect(await check()).toMatchObject({ status: "undetermined", code });
  });

  test("cannot be told when it is refused and its own check fails", async () => {
    answer(403, notVerify, 9109, "Unauthorized to access requested resource");
    target.emulator.faults.add({ kind: "status", path: /verify/, status: 503 }, 5);
    expect(await check()).toMatchObject({ status: "undetermined", code: "provider_down" });
  });
});
