import { beforeAll, expect, test } from "vitest";
import { closeDataKey, createDataKey, isAuthenticRow, ready, rowMac } from "./index.ts";
import { newDataKey, newKeyring, vaultCode } from "./testing/samples.ts";

beforeAll(() => ready);

const row = { id: "sig_1", owner: "org_1", text: "ab", at: 7, none: null };
const withMac = (key: ReturnType<typeof newDataKey>, more: object = {}) => ({
  ...row,
  ...more,
  mac: rowMac(key, "signing_keys", { ...row, ...more }),
});

test("a row that was written with the key is authentic, in whatever order its columns come", () => {
  const key = newDataKey();
  const reversed = Object.fromEntries(Object.entries(withMac(key)).reverse());
  expect([
    isAuthenticRow(key, "signing_keys", withMac(key)),
    isAuthenticRow(key, "signing_keys", reversed),
  ]).toEqual([true, true]);
});

test.each([
  ["a changed text", { text: "ac" }],
  ["a changed number", { at: 8 }],
  ["a number as a text", { at: "7" }],
  ["nothing as a text", { none: "null" }],
  ["another id", { id: "sig_2" }],
  ["a column more", { more: "x" }],
  ["no MAC", { mac: null }],
  ["an empty MAC", { mac: "" }],
  ["a MAC that was cut", { mac: "m1_" }],
])("a row with %s is not authentic", (_what, change) => {
  const key = newDataKey();
  expect(isAuthenticRow(key, "signing_keys", { ...withMac(key), ...change })).toBe(false);
});

test("the MAC of another row, table, key or owner proves nothing", () => {
  const keyring = newKeyring();
  const identity = { id: "dek_0123456789abcdefghjk", ownerId: "org_1" };
  const { key } = createDataKey(keyring, identity);
  const others = [
    createDataKey(keyring, identity).key,
    createDataKey(keyring, { ...identity, ownerId: "org_2" }).key,
  ];
  expect(isAuthenticRow(key, "other", withMac(key))).toBe(false);
  expect(isAuthenticRow(key, "signing_keys", { ...row, mac: withMac(key, { id: "sig_2" }).mac })).toBe(false);
  expect(others.some((other) => isAuthenticRow(other, "signing_keys", withMac(key)))).toBe(false);
});

test("a closed key proves nothing any more", () => {
  const key = newDataKey();
  const proven = withMac(key);
  closeDataKey(key);
  expect(vaultCode(() => isAuthenticRow(key, "signing_keys", proven))).toBe("key_closed");
});
