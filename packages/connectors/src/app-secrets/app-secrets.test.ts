import { secretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { planLease, testConnector, testContext } from "../kit/testing/index.ts";
import { appSecrets } from "./index.ts";

testConnector({ connector: appSecrets });

const org = { version: 0, fields: {}, facts: {} };
const issue = () => appSecrets.issuer?.issue(testContext(), org, planLease(appSecrets, undefined));
const right = { JWT_SECRET: "0".repeat(64), CHECKOUT_TOKEN_SECRET: "0".repeat(48) };

describe("app-secrets", () => {
  test("gives 32 bytes for tokens and 24 for checkout links, in hex", async () => {
    const values = await issue();
    expect(values?.JWT_SECRET?.reveal()).toMatch(/^[0-9a-f]{64}$/);
    expect(values?.CHECKOUT_TOKEN_SECRET?.reveal()).toMatch(/^[0-9a-f]{48}$/);
  });

  test("gives every lease other values, taken from the given randomness", async () => {
    const [first, second] = [await issue(), await issue()];
    expect(first?.JWT_SECRET?.reveal()).not.toBe(second?.JWT_SECRET?.reveal());
    const context = testContext({ randomBytes: (size) => new Uint8Array(size).fill(0xab) });
    const fixed = await appSecrets.issuer?.issue(context, org, planLease(appSecrets, undefined));
    expect(fixed?.JWT_SECRET?.reveal()).toBe("ab".repeat(32));
    expect(fixed?.CHECKOUT_TOKEN_SECRET?.reveal()).toBe("ab".repeat(24));
  });

  test("accepts a user's own secrets", async () => {
    expect(await appSecrets.validate(testContext(), secretValues(right))).toMatchObject({ status: "valid" });
  });

  test.each([
    ["JWT_SECRET", "short"],
    ["JWT_SECRET", ""],
    ["CHECKOUT_TOKEN_SECRET", "0".repeat(31)],
    ["CHECKOUT_TOKEN_SECRET", `${"0".repeat(31)} ${"0".repeat(31)}`],
  ])("refuses %s=%j and says how to make one", async (name, value) => {
    const values = secretValues({ ...right, [name]: value });
    expect(await appSecrets.validate(testContext(), values)).toMatchObject({
      status: "invalid",
      envVar: name,
      code: "malformed",
      remedy: expect.stringContaining("openssl rand"),
    });
  });
});
