import { type SecretValues, secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { type R2Emulator, startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { withoutApiToken } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
let emulator: R2Emulator;
let old: SecretValues;
let next: SecretValues;
beforeAll(async () => {
  target = await openEmulatorTarget(async (options) => {
    emulator = await startEmulator(options);
    return emulator;
  });
});
afterAll(() => target.close());
beforeEach(async () => {
  emulator.faults.clear();
  [old, next] = [secretValues(await emulator.createOrgKey()), secretValues(await emulator.createOrgKey())];
});

const context = () => testContext({ baseUrl: target.baseUrl });
const check = (fields: SecretValues) => r2.validateOrgKey?.(context(), fields);
const end = async (fields: SecretValues, kept: SecretValues) => r2.endOrgKey?.(context(), fields, kept);
const valid = { status: "valid" };
const dead = { status: "invalid", code: "rejected" };

describe("a key that is put beside the old one", () => {
  test("works while the old one does", async () => {
    expect([await check(old), await check(next), await check(target.orgFields)]).toMatchObject([
      valid,
      valid,
      valid,
    ]);
  });

  test("works alone when the old one is ended, which is then dead in both its parts", async () => {
    await end(old, next);
    expect(await check(old)).toMatchObject(dead);
    expect(await check(withoutApiToken(old))).toMatchObject(dead);
    expect(await check({ ...next, apiToken: old.apiToken ?? expect.fail() })).toMatchObject({
      ...dead,
      envVar: "apiToken",
    });
    expect(await check(next)).toMatchObject(valid);
    await expect(end(old, next)).resolves.toBeUndefined();
  });

  test.each(["apiToken", "accessKeyId"])("keeps the %s that both share", async (shared) => {
    const { apiToken, accessKeyId, secretAccessKey } = old;
    const parts = shared === "apiToken" ? { apiToken } : { accessKeyId, secretAccessKey };
    const kept = { ...next, ...parts } as SecretValues;
    await end(old, kept);
    expect(await check(kept)).toMatchObject(valid);
    const answer = await check(old);
    expect(answer?.status).toBe("invalid");
  });

  test("is not touched when a lease of the old one is going on with a token of its own", async () => {
    const org = await orgCredential(r2, context(), old);
    const lease = planLease(r2, {});
    const values = (await r2.issuer?.issue(context(), org, lease)) ?? {};
    await end(old, next);
    expect(await r2.validate(context(), values)).toMatchObject(valid);
    await r2.issuer?.revoke(context(), await orgCredential(r2, context(), next), lease);
    expect(await r2.validate(context(), values)).toMatchObject(dead);
  });
});

describe("a key is not taken for dead", () => {
  test("while its API token is accepted", async () => {
    const { accessKeyId, secretAccessKey } = next;
    const half = { ...old, accessKeyId, secretAccessKey } as SecretValues;
    await end(withoutApiToken(next), target.orgFields);
    expect(await check(half)).toMatchObject({
      status: "invalid",
      code: "wrong_pair",
      message: expect.stringContaining("API token next to it works"),
    });
  });

  test("when nobody can say whether its API token is", async () => {
    await end(old, next);
    emulator.faults.add({ kind: "status", path: /verify$/, status: 503 }, 5);
    expect(await check(old)).toMatchObject({ status: "undetermined" });
  });
});

describe("a key that stands alone", () => {
  test("ends itself", async () => {
    await end(old, {});
    expect(await check(old)).toMatchObject(dead);
  });

  test("and has no API token is a person's to end", async () => {
    await expect(end(withoutApiToken(old), {})).rejects.toMatchObject({
      code: "rejected",
      remedy: expect.stringContaining("https://dash.cloudflare.com"),
    });
    expect(await check(old)).toMatchObject(valid);
  });
});

test("a deletion that left the old API token in place is not believed", async () => {
  const body = JSON.stringify({ success: true, result: { id: "x" } });
  emulator.faults.add({ kind: "status", method: "DELETE", status: 200, body }, 5);
  await expect(end(old, next)).rejects.toMatchObject({ code: "unavailable", retryable: true });
});

test("what was made and ended is so after a restart", async () => {
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const stateDirectory = await mkdtemp(`${tmpdir()}/keyloan-r2-`);
  const first = await startEmulator({ stateDirectory, port: 0 });
  const [ended, made] = [secretValues(first.orgFields), secretValues(await first.createOrgKey())];
  await r2.endOrgKey?.(testContext({ baseUrl: first.baseUrl }), ended, made);
  await first.close();
  const second = await startEmulator({ stateDirectory, port: 0 });
  const again = testContext({ baseUrl: second.baseUrl });
  expect(await r2.validateOrgKey?.(again, ended)).toMatchObject(dead);
  expect(await r2.validateOrgKey?.(again, made)).toMatchObject(valid);
  await second.close();
  await rm(stateDirectory, { recursive: true, force: true });
});
