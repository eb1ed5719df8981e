import { afterEach, expect, test } from "vitest";
import { failureReason, withTimeout } from "../failure.ts";
import { serve, serveAnswer, type TestServer } from "../testing/servers.ts";
import { priceBody, userCountBody } from "../testing/values.ts";
import { createAuthCheck } from "./auth.ts";
import { createPriceReader } from "./payments.ts";

let server: TestServer | undefined;
afterEach(() => server?.close());

const clerkKeys = {
  secretKey: "sk_test_clerk",
  publishableKey: "pk_test_bm90ZXMuY2xlcmsuYWNjb3VudHMuZGV2JA",
};
const stripeKeys = { secretKey: "rk_test_stripe", publishableKey: "pk_test_stripe", priceId: "price_demo" };
const checkAuth = (apiUrl: string) => createAuthCheck({ ...clerkKeys, apiUrl })();
const readPrice = (apiUrl: string) => createPriceReader({ ...stripeKeys, apiUrl })();
const reasonOf = (promise: Promise<unknown>) => promise.then(() => "resolved", failureReason);

test("the Clerk key is sent as a bearer token and the user count comes back", async () => {
  let authorization: string | undefined;
  server = await serve((request, response) => {
    authorization = request.headers.authorization;
    response.writeHead(200, { "content-type": "application/json" }).end(userCountBody);
  });
  expect(await checkAuth(server.url)).toBe(7);
  expect(authorization).toBe("Bearer sk_test_clerk");
});

test("the Stripe price is read with the key and in the asked shape", async () => {
  const seen: (string | undefined)[] = [];
  server = await serve((request, response) => {
    seen.push(request.url, request.headers.authorization);
    response.writeHead(200, { "content-type": "application/json" }).end(priceBody);
  });
  expect(await readPrice(server.url)).toEqual({
    id: "price_demo",
    currency: "eur",
    unitAmount: 1900,
    liveMode: false,
  });
  expect(seen).toEqual(["/v1/prices/price_demo", "Bearer rk_test_stripe"]);
});

const json = "application/json";
const clerkError = JSON.stringify({ errors: [{ code: "clerk_key_invalid", message: "marked" }] });
const stripeError = JSON.stringify({ error: { type: "invalid_request_error", message: "marked" } });

type Case = {
  readonly who: string;
  readonly check: (apiUrl: string) => Promise<unknown>;
  readonly what: string;
  readonly answer: readonly [status: number, contentType: string, body: string];
  readonly reason: string;
};

test.each<Case>([
  {
    who: "Clerk",
    check: checkAuth,
    what: "a refused key",
    answer: [401, json, clerkError],
    reason: "answered 401",
  },
  {
    who: "Clerk",
    check: checkAuth,
    what: "a web page instead of an answer",
    answer: [200, "text/html", "<html>marked</html>"],
    reason: "answered something unexpected",
  },
  {
    who: "Clerk",
    check: checkAuth,
    what: "an unread answer because of its charset",
    answer: [200, `${json}; charset=utf-8`, userCountBody],
    reason: "answered something unexpected",
  },
  {
    who: "Stripe",
    check: readPrice,
    what: "a refused key",
    answer: [401, json, stripeError],
    reason: "answered 401",
  },
  {
    who: "Stripe",
    check: readPrice,
    what: "404 without an error object",
    answer: [404, json, `{"message":"marked"}`],
    reason: "answered something unexpected",
  },
  {
    who: "Stripe",
    check: readPrice,
    what: "another price",
    answer: [200, json, priceBody.replace("price_demo", "price_other")],
    reason: "answered something unexpected",
  },
  {
    who: "Stripe",
    check: readPrice,
    what: "an archived price",
    answer: [200, json, priceBody.replace(`"active":true`, `"active":false`)],
    reason: "has archived the price of STRIPE_PRICE_ID",
  },
])("$who: $what is not taken for a working key", async ({ check, answer, reason }) => {
  server = await serveAnswer(...answer);
  expect(await reasonOf(check(server.url))).toBe(reason);
});

test.each([
  { who: "Clerk", check: checkAuth },
  { who: "Stripe", check: readPrice },
])("$who: a server that is down is told apart from a refused key", async ({ check }) => {
  const gone = await serveAnswer(200, json, "{}");
  gone.close();
  expect(await reasonOf(check(gone.url))).toMatch(/^could not be reached/);
});

test("a call that never ends is given up", async () => {
  expect(await reasonOf(withTimeout(new Promise(() => {}), 5))).toBe("did not answer in time");
});
