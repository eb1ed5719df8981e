import { type ConnectorContext, type SecretValues, secretValues, userAgent } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFaultQueue } from "../kit/emulator.ts";
import { serveEmulator } from "../kit/emulator-app.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import { orgCredential, planLease, testConnector, testContext } from "../kit/testing/index.ts";
import { clerkCalls } from "./client.ts";
import { clerkStandIn, createInstance, type EmulatedInstance, startEmulator } from "./emulator.ts";
import { clerk } from "./index.ts";
import { decodePublishableKey, encodePublishableKey } from "./publishable-key.ts";

testConnector({
  connector: clerk,
  startEmulator,
  issues: "locally",
  calls: clerkCalls,
  userKinds: {
    "wrong-pair": { status: "invalid", envVar: "CLERK_PUBLISHABLE_KEY", code: "wrong_pair" },
  },
});

const faults = createFaultQueue();
const clerkApp = (...instances: [EmulatedInstance, ...EmulatedInstance[]]) =>
  createStandInApp(clerkStandIn, { list: () => instances, save: async () => {} }, faults, Date.now);
const development = createInstance("development");
const production = createInstance("production");
let server: Awaited<ReturnType<typeof serveEmulator>>;

beforeAll(async () => {
  server = await serveEmulator(clerkApp(development, production), 0);
});
afterAll(() => server?.close());
beforeEach(() => {
  faults.clear();
  development.listedHosts = [development.frontendApiHost];
});

const context = (overrides: Partial<ConnectorContext> = {}) =>
  testContext({ baseUrl: server.baseUrl, ...overrides });
const publishableKey = (host: string, mode: "test" | "live" = "test") => encodePublishableKey({ mode, host });
const orgFields = (changes: Record<string, string> = {}): SecretValues =>
  secretValues({
    secretKey: development.secretKey,
    publishableKey: publishableKey(development.frontendApiHost),
    ...changes,
  });
const check = (changes: Record<string, string> = {}, overrides: Partial<ConnectorContext> = {}) =>
  clerk.validateOrgKey?.(context(overrides), orgFields(changes));

describe("a publishable key", () => {
  test.each([
    ["happy-fox-12.clerk.accounts.dev", "test", "aGFwcHktZm94LTEyLmNsZXJrLmFjY291bnRzLmRldiQ"],
    ["clerk.example.com", "live", "Y2xlcmsuZXhhbXBsZS5jb20k"],
  ] as const)("of %s is read and written as Clerk does", (host, mode, encoded) => {
    const key = `pk_${mode}_${encoded}`;
    expect(encodePublishableKey({ mode, host })).toBe(key);
    expect(decodePublishableKey(key)).toEqual({ mode, host });
    const padded = key + "=".repeat((4 - (encoded.length % 4)) % 4);
    expect(decodePublishableKey(padded)).toEqual({ mode, host });
  });

  const encode = (text: string) => `pk_test_${Buffer.from(text).toString("base64")}`;
  test.each([
    ["nothing after the prefix", "pk_test_"],
    ["no mode", "pk_foo_x"],
    ["four parts", "pk_test_a_b"],
    ["a space before", ` ${encode("happy.example$")}`],
    ["a line end after", `${encode("happy.example$")}\n`],
    ["no dollar sign", encode("happy.example")],
    ["two dollar signs", encode("happy.example$$")],
    ["no dot", encode("happy$")],
    ["a port", encode("happy.example:80$")],
    ["a path", encode("happy.example/x$")],
    ["credentials", encode("me@happy.example$")],
    ["an IPv4 address", encode("127.0.0.1$")],
    ["the metadata address", encode("169.254.169.254$")],
    ["an IPv6 address", encode("[::1]$")],
    ["a local name", encode("clerk.localhost$")],
    ["an internal name", encode("metadata.google.internal$")],
    ["another last sign", encode("happy.example%")],
    ["stray bits at the end", encode("happy.example$").replace("SQ=", "SR=")],
  ])("with %s is none", (_name, key) => {
    expect(decodePublishableKey(key)).toBeUndefined();
  });
});

describe("an org key", () => {
  test("tells its instance and mode", async () => {
    expect(await check()).toMatchObject({
      status: "valid",
      account: development.instanceId,
      mode: "test",
      capabilities: expect.arrayContaining([
        { name: "Both keys belong to the same instance", state: "works" },
      ]),
    });
  });

  test.each([
    [
      "both keys",
      () => [production.secretKey, publishableKey(production.frontendApiHost, "live")],
      "secretKey",
    ],
    ["the secret key", () => [production.secretKey, undefined], "secretKey"],
    ["the publishable key", () => [undefined, publishableKey("clerk.example.com", "live")], "publishableKey"],
  ] as const)("with %s live is refused without a call", async (_name, keys, envVar) => {
    const [secret, publishable] = keys();
    faults.add({ kind: "status", status: 500 });
    const result = await check({
      ...(secret === undefined ? {} : { secretKey: secret }),
      ...(publishable === undefined ? {} : { publishableKey: publishable }),
    });
    expect(result).toMatchObject({
      status: "invalid",
      code: "wrong_mode",
      envVar,
      message: "Clerk live keys administer the whole instance.",
      remedy: expect.stringContaining("development instance"),
    });
    expect(faults.size()).toBe(1);
  });

  test("of a production instance under a test prefix is refused", async () => {
    const odd: EmulatedInstance = { ...development, environment: "production" };
    const other = await serveEmulator(clerkApp(odd), 0);
    const result = await check({}, { baseUrl: other.baseUrl });
    await other.close();
    expect(result).toMatchObject({ status: "invalid", code: "wrong_mode", envVar: "secretKey" });
  });

  test("with another instance's publishable key is a wrong pair, and that host is not asked", async () => {
    const asked: string[] = [];
    const result = await check(
      { publishableKey: publishableKey("other-app-7.clerk.accounts.dev") },
      { fetch: recordingFetch(asked) },
    );
    expect(result).toMatchObject({ status: "invalid", code: "wrong_pair", envVar: "publishableKey" });
    expect(asked.filter((url) => !url.startsWith(server.baseUrl))).toEqual([]);
  });

  test("gives the instance's id, host and environment as facts", async () => {
    expect(await clerk.prepareOrgKey?.(context(), orgFields())).toEqual({
      instanceId: development.instanceId,
      environment: "development",
      frontendApiHost: development.frontendApiHost,
    });
  });
});

describe("when /domains names no host", () => {
  const host = "unlisted-app-3.clerk.accounts.dev";
  const asShownBy = (instance: EmulatedInstance) => ({
    fetch: recordingFetch([], (url) =>
      url === `https://${host}/.well-known/jwks.json`
        ? Response.json({ keys: [instance.publicKey] })
        : undefined,
    ),
  });
  beforeEach(() => {
    development.listedHosts = [];
  });

  test("a host that shows the instance's signing keys is its own", async () => {
    const result = await check({ publishableKey: publishableKey(host) }, asShownBy(development));
    expect(result).toMatchObject({ status: "valid" });
  });

  test("a host that shows other signing keys is a wrong pair", async () => {
    const result = await check({ publishableKey: publishableKey(host) }, asShownBy(production));
    expect(result).toMatchObject({ status: "invalid", code: "wrong_pair" });
  });

  test("a host that does not answer leaves it open", async () => {
    const fetch = recordingFetch([], (url) => {
      if (url.startsWith("https:")) throw new TypeError("fetch failed");
      return undefined;
    });
    const result = await check({ publishableKey: publishableKey(host) }, { fetch });
    expect(result).toMatchObject({ status: "undetermined", code: "provider_down" });
  });

  test.each(["evil.example.com", "clerk.accounts.dev.example.com", "xclerk.accounts.dev", "own.lcl.dev"])(
    "the host %s is never asked",
    async (other) => {
      const asked: string[] = [];
      const result = await check({ publishableKey: publishableKey(other) }, { fetch: recordingFetch(asked) });
      expect(result).toMatchObject({ status: "invalid", code: "wrong_pair" });
      expect(asked.filter((url) => !url.startsWith(server.baseUrl))).toEqual([]);
    },
  );
});

test("every call says who asks, the SDK's too", async () => {
  const app = clerkApp(development);
  const names = new Map<string, string | null>();
  const other = await serveEmulator(
    {
      fetch: (request, ...rest) => {
        names.set(new URL(request.url).pathname, request.headers.get("user-agent"));
        return app.fetch(request, ...rest);
      },
    },
    0,
  );
  await check({}, { baseUrl: other.baseUrl });
  await other.close();
  expect([...names.keys()]).toContain("/v1/users/count");
  expect(new Set(names.values())).toEqual(new Set([userAgent]));
});

describe("when only the call through the SDK goes wrong", () => {
  const path = /users\/count/;
  test.each([
    ["a content type with a charset", "application/json; charset=utf-8", '{"total_count":0}'],
    ["HTML", "text/html", "<html></html>"],
    ["an empty object", "application/json", "{}"],
    ["a negative count", "application/json", '{"object":"total_count","total_count":-1}'],
    ["a count in text", "application/json", '{"object":"total_count","total_count":"3"}'],
  ])("%s does not count as working", async (_name, type, body) => {
    faults.add({ kind: "status", status: 200, path, headers: { "content-type": type }, body });
    expect(await check()).toMatchObject({ status: "undetermined", code: "provider_down" });
  });

  test("a refusal is a refusal", async () => {
    faults.add({ kind: "status", status: 401, path });
    expect(await check()).toMatchObject({ status: "invalid", code: "rejected", envVar: "secretKey" });
  });

  test("a refusal at the edge, 403, says nothing of the key", async () => {
    faults.add({ kind: "status", status: 403, path });
    expect(await check()).toMatchObject({ status: "undetermined", code: "provider_down" });
  });

  test("a rate limit tells how long to wait", async () => {
    faults.add({ kind: "status", status: 429, path, headers: { "retry-after": "4" } });
    expect(await check()).toMatchObject({ code: "rate_limited", retryAfterSeconds: 4 });
  });

  test("the wait ends with the signal, though the SDK knows none", async () => {
    faults.add({ kind: "delay", ms: 60_000, path });
    const controller = new AbortController();
    const result = check({}, { signal: controller.signal });
    await expect.poll(() => faults.size(), { interval: 2 }).toBe(0);
    controller.abort(new DOMException("time is up", "TimeoutError"));
    expect(await result).toMatchObject({ status: "undetermined", code: "timeout" });
  });
});

describe("a lease", () => {
  const issue = async (overrides: Partial<ConnectorContext> = {}) => {
    const org = await orgCredential(clerk, context(), orgFields());
    return clerk.issuer?.issue(context(overrides), org, planLease(clerk, undefined));
  };

  test("carries the pair and the pages under their current names", async () => {
    const values = await issue();
    expect(values?.CLERK_SECRET_KEY?.reveal()).toBe(development.secretKey);
    expect(values?.CLERK_SIGN_IN_FALLBACK_REDIRECT_URL?.reveal()).toBe("/");
    expect(values?.CLERK_API_URL?.reveal()).toBe(server.baseUrl);
  });

  test("names no API address when Clerk's own is used", async () => {
    const { baseUrl: _baseUrl, ...withoutBaseUrl } = context();
    const org = await orgCredential(clerk, context(), orgFields());
    const values = await clerk.issuer?.issue(withoutBaseUrl, org, planLease(clerk, undefined));
    expect(Object.keys(values ?? {})).not.toContain("CLERK_API_URL");
  });
});

describe("a user's own keys", () => {
  const values = (changes: Record<string, string> = {}) =>
    secretValues({
      CLERK_SECRET_KEY: production.secretKey,
      CLERK_PUBLISHABLE_KEY: publishableKey(production.frontendApiHost, "live"),
      ...changes,
    });

  test("may be live", async () => {
    const result = await clerk.validate(context(), values());
    expect(result).toMatchObject({
      status: "valid",
      mode: "live",
      account: production.frontendApiHost,
      warnings: [],
    });
  });

  test("of a development instance are valid, and told for how many users", async () => {
    const result = await clerk.validate(
      context(),
      values({
        CLERK_SECRET_KEY: development.secretKey,
        CLERK_PUBLISHABLE_KEY: publishableKey(development.frontendApiHost),
      }),
    );
    expect(result).toMatchObject({
      status: "valid",
      mode: "test",
      warnings: [expect.stringContaining("100 users")],
    });
  });

  test.each([
    [
      "a foreign secret key",
      { CLERK_SECRET_KEY: `sk_${"live"}_${"A1".repeat(20)}` },
      "CLERK_SECRET_KEY",
      "rejected",
    ],
    [
      "a test publishable key",
      { CLERK_PUBLISHABLE_KEY: publishableKey("happy.clerk.accounts.dev") },
      "CLERK_PUBLISHABLE_KEY",
      "wrong_pair",
    ],
    [
      "another live host",
      { CLERK_PUBLISHABLE_KEY: publishableKey("clerk.other.example.com", "live") },
      "CLERK_PUBLISHABLE_KEY",
      "wrong_pair",
    ],
    ["a command in a page", { CLERK_SIGN_IN_URL: "/$(id)" }, "CLERK_SIGN_IN_URL", "malformed"],
    [
      "a variable in a page",
      { CLERK_SIGN_UP_URL: "https://a.example/\u0024{X}" },
      "CLERK_SIGN_UP_URL",
      "malformed",
    ],
    ["a script as page", { CLERK_SIGN_IN_URL: "javascript:alert(1)" }, "CLERK_SIGN_IN_URL", "malformed"],
  ])("with %s name the variable to fix", async (_name, changes, envVar, code) => {
    expect(await clerk.validate(context(), values(changes))).toMatchObject({
      status: "invalid",
      envVar,
      code,
    });
  });

  test("never have their CLERK_API_URL asked", async () => {
    const result = await clerk.validate(context(), values({ CLERK_API_URL: "http://127.0.0.1:1/" }));
    expect(result).toMatchObject({ status: "valid" });
  });
});

describe("the stand-in", () => {
  test("refuses a wrong key with Clerk's own body and content type", async () => {
    const response = await fetch(`${server.baseUrl}/v1/instance`, {
      headers: { authorization: "Bearer no" },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ errors: [{ code: "clerk_key_invalid" }] });
  });
});

/** A fetch that notes what it is asked and may answer itself; anything else not on the stand-in fails. */
function recordingFetch(
  asked: string[],
  answer: (url: string) => Response | undefined = () => undefined,
): ConnectorContext["fetch"] {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push(url);
    const own = answer(url);
    if (own !== undefined) return own;
    if (!url.startsWith(server.baseUrl)) throw new TypeError("fetch failed");
    return fetch(input, init);
  };
}
