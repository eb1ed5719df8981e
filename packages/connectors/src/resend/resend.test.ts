import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  openEmulatorTarget,
  orgCredential,
  planLease,
  testConnector,
  testContext,
} from "../kit/testing/index.ts";
import { resendCalls } from "./client.ts";
import { startEmulator } from "./emulator.ts";
import { resend } from "./index.ts";

testConnector({
  connector: resend,
  startEmulator,
  calls: resendCalls,
  userKinds: {
    wide: { status: "valid", warnings: [expect.stringContaining("sending access")] },
    "wrong-pair": { status: "invalid", envVar: "RESEND_FROM", code: "rejected" },
  },
});

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target?.close());
beforeEach(() => target.emulator.faults.clear());
const context = () => testContext({ baseUrl: target.baseUrl });

test("a lease's key only sends: it is no org key, and the page says what to do", async () => {
  const org = await orgCredential(resend, context(), target.orgFields);
  const values = await resend.issuer?.issue(context(), org, planLease(resend, undefined));
  expect(values?.RESEND_FROM?.reveal()).toMatch(/^onboarding@mail-/);
  const apiKey = values?.RESEND_API_KEY;
  expect(apiKey === undefined || (await resend.validateOrgKey?.(context(), { apiKey }))).toMatchObject({
    status: "invalid",
    code: "lacks_permission",
  });
});

test.each([
  [401, "validation_error", "API key is invalid"],
  [400, "validation_error", "API key is invalid"],
  [403, "invalid_api_key", "no"],
])("a wrong key is known by its name or words, answered as %i", async (status, name, message) => {
  target.emulator.faults.add({
    kind: "status",
    status,
    body: JSON.stringify({ statusCode: status, name, message }),
  });
  expect(await resend.validateOrgKey?.(context(), target.orgFields)).toMatchObject({ code: "rejected" });
});

test.each([
  ["a refusal at the edge", 403, "error code: 1010"],
  ["a wrong request", 400, JSON.stringify({ name: "validation_error", message: "name is missing" })],
])("%s says nothing of the key", async (_what, status, body) => {
  target.emulator.faults.add({ kind: "status", status, body });
  const result = await resend.validate(context(), { RESEND_API_KEY: target.orgFields.apiKey } as never);
  expect(result).toMatchObject({ status: "undetermined" });
});
