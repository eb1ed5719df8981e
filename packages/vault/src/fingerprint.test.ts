import { randomBytes } from "node:crypto";
import { Secret, secretValues } from "@keyloan/contract";
import { beforeAll, expect, test } from "vitest";
import {
  closeDataKey,
  createDataKey,
  createFingerprinter,
  createRootKey,
  openDataKey,
  parseKeyring,
  ready,
  rewrapDataKey,
} from "./index.ts";
import { newDataKey } from "./testing/samples.ts";

beforeAll(() => ready);

test("equal values have equal fingerprints and different values different ones", () => {
  const fingerprint = createFingerprinter(newDataKey("org_1"));
  expect(fingerprint.ofValue(Secret.of("sk_test_1"))).toBe(fingerprint.ofValue(Secret.of("sk_test_1")));
  expect(fingerprint.ofValue(Secret.of("sk_test_1"))).not.toBe(fingerprint.ofValue(Secret.of("sk_test_2")));
  expect(fingerprint.ofValue(Secret.of("sk_test_1"))).toMatch(/^fp1_[0-9a-f]{32}$/);
});

test("a credential's fingerprint does not depend on the order of its fields", () => {
  const fingerprint = createFingerprinter(newDataKey("org_1"));
  expect(fingerprint.ofValues(secretValues({ a: "1", b: "2" }))).toBe(
    fingerprint.ofValues(secretValues({ b: "2", a: "1" })),
  );
});

test.each([
  ["swapped values", { a: "2", b: "1" }],
  ["another name", { a: "1", c: "2" }],
  ["a missing field", { a: "1" }],
  ["an added empty field", { a: "1", b: "2", c: "" }],
  ["values that read alike when joined", { a: '1","b', b: "2" }],
])("a credential with %s has another fingerprint", (_what, values) => {
  const fingerprint = createFingerprinter(newDataKey("org_1"));
  expect(fingerprint.ofValues(secretValues(values))).not.toBe(
    fingerprint.ofValues(secretValues({ a: "1", b: "2" })),
  );
});

test("fingerprints survive a root key rotation", () => {
  const old = createRootKey(randomBytes);
  const current = createRootKey(randomBytes);
  const { record, key } = createDataKey(parseKeyring(old.line), { id: "dek_f", ownerId: "org_1" });
  const before = createFingerprinter(key).ofValue(Secret.of("value"));

  const moved = rewrapDataKey(parseKeyring(current.line, old.line), record);

  const after = createFingerprinter(openDataKey(parseKeyring(current.line), moved));
  expect(after.ofValue(Secret.of("value"))).toBe(before);
});

test("a fingerprinter works on after its data key was closed", () => {
  const key = newDataKey("org_1");
  const fingerprint = createFingerprinter(key);
  const before = fingerprint.ofValue(Secret.of("value"));
  closeDataKey(key);
  expect(fingerprint.ofValue(Secret.of("value"))).toBe(before);
});

test("another fingerprint key gives other fingerprints", () => {
  const one = createFingerprinter(newDataKey("org_1")).ofValue(Secret.of("value"));
  expect(createFingerprinter(newDataKey("org_1")).ofValue(Secret.of("value"))).not.toBe(one);
});
