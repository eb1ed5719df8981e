import { secretValues } from "@keyloan/contract";
import { expect, test } from "vitest";
import {
  openEmulatorTarget,
  orgCredential,
  planLease,
  testConnector,
  testContext,
} from "../kit/testing/index.ts";
import { sentryCalls } from "./client.ts";
import { startEmulator } from "./emulator.ts";
import { sentry } from "./index.ts";

testConnector({ connector: sentry, startEmulator, calls: sentryCalls, userChecks: "nobody" });

test.each(["organization", "team"])("a wrong %s is named, and not the token", async (name) => {
  const target = await openEmulatorTarget(startEmulator);
  const fields = { ...target.orgFields, ...secretValues({ [name]: "nowhere" }) };
  const result = await sentry.validateOrgKey?.(testContext({ baseUrl: target.baseUrl }), fields);
  await target.close();
  expect(result).toMatchObject({ status: "invalid", code: "rejected", envVar: name });
});

test("a project that a crash left is adopted with its key", async () => {
  const target = await openEmulatorTarget(startEmulator);
  const context = testContext({ baseUrl: target.baseUrl });
  const org = await orgCredential(sentry, context, target.orgFields);
  const lease = planLease(sentry, undefined);
  const first = await sentry.issuer?.issue(context, org, lease);
  const again = await sentry.issuer?.issue(context, org, lease);
  await target.close();
  expect(again?.SENTRY_DSN?.reveal()).toBe(first?.SENTRY_DSN?.reveal());
});

test("is asked in the region that is named", async () => {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = (input) => {
    asked.push(String(input));
    return Promise.reject(new TypeError("fetch failed"));
  };
  const fields = { organization: "acme", team: "keyloan", token: "a".repeat(64) };
  await sentry.validateOrgKey?.(testContext({ fetch }), secretValues(fields));
  await sentry.validateOrgKey?.(testContext({ fetch }), secretValues({ ...fields, region: "de" }));
  expect(asked.map((url) => new URL(url).host)).toEqual(["sentry.io", "de.sentry.io"]);
});
