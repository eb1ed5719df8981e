import { inspect } from "node:util";
import { Secret, secretValues } from "@keyloan/contract";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  createDataKey,
  type DataKey,
  openBytes,
  openValue,
  openValues,
  plaintextBytesMax,
  ready,
  sealBytes,
  sealValue,
  sealValues,
} from "./index.ts";
import { buildOwner, newDataKey, newKeyring, vaultCode } from "./testing/samples.ts";

// The same cases every time.
fc.configureGlobal({ seed: 20_261_120 });

let key: DataKey;
beforeAll(async () => {
  await ready;
  key = newDataKey();
});

const context = { purpose: "lease-env", ownerId: buildOwner, field: "lse_1" };
const anyText = fc.string({ unit: "binary", maxLength: 300 });
const anyName = fc.oneof(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,20}$/), fc.constant("__proto__"), fc.string());
const anyPart = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });

describe("open gives what seal got", () => {
  test("for any text", () => {
    fc.assert(
      fc.property(anyText, anyPart, anyPart, (text, purpose, field) => {
        const place = { purpose, ownerId: buildOwner, field };
        expect(openValue(key, place, sealValue(key, place, Secret.of(text))).reveal()).toBe(text);
      }),
    );
  });

  test("for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(new Uint8Array(openBytes(key, context, sealBytes(key, context, bytes)))).toEqual(bytes);
      }),
    );
  });

  test("for any set of values, in order, halves of surrogate pairs and `__proto__` included", () => {
    const anyValue = fc.oneof(anyText, fc.string({ unit: fc.constantFrom("\ud800", "\udc00", "a") }));
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, anyValue), { maxLength: 20 }), (entries) => {
        const values = secretValues(Object.fromEntries(entries));
        const opened = openValues(key, context, sealValues(key, context, values));
        const plain = (record: typeof values) =>
          Object.entries(record).map(([name, value]) => [name, value.reveal()]);
        expect(plain(opened)).toEqual(plain(values));
      }),
    );
  });

  test.each([
    ["an empty value", ""],
    ["a byte order mark", "\uFEFFvalue"],
    ["NUL", "a\0b"],
    ["the largest value", "x".repeat(plaintextBytesMax)],
  ])("for %s", (_what, text) => {
    expect(openValue(key, context, sealValue(key, context, Secret.of(text))).reveal() === text).toBe(true);
  });

  test("and no two envelopes of one value are equal", () => {
    const envelopes = Array.from({ length: 1000 }, () => sealValue(key, context, Secret.of("value")));
    expect(new Set(envelopes).size).toBe(1000);
  });
});

describe("refused is", () => {
  test("every flipped bit of an envelope", () => {
    const envelope = sealValues(key, context, secretValues({ A: "1", B: "" }));
    const accepted = Array.from({ length: envelope.length * 16 }, (_, position) => {
      const index = Math.floor(position / 16);
      const flipped = String.fromCharCode(envelope.charCodeAt(index) ^ (1 << (position % 16)));
      return envelope.slice(0, index) + flipped + envelope.slice(index + 1);
    }).filter((altered) => vaultCode(() => openValues(key, context, altered)) === undefined);
    expect(accepted).toEqual([]);
  });

  test("every envelope that was cut or made longer", () => {
    const envelope = sealValue(key, context, Secret.of("value"));
    const altered = [
      ...Array.from({ length: envelope.length }, (_, length) => envelope.slice(0, length)),
      ...["A", "AAAA", "=", " ", "\n", ".", `.${envelope}`].map((tail) => envelope + tail),
    ];
    expect(altered.filter((text) => vaultCode(() => openValue(key, context, text)) === undefined)).toEqual(
      [],
    );
  });

  test("any text that is not an envelope, by a VaultError and nothing else", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.constant(`v1.${"A".repeat(3_000_000)}`),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(vaultCode(() => openValue(key, context, text))).toMatch(/^(malformed|unsupported_version)$/);
      }),
    );
  });

  test.each([
    ["purpose", { purpose: "org-key" }, "cannot_open"],
    ["field", { field: "lse_2" }, "cannot_open"],
    ["owner", { ownerId: "bld_00000000000000000000" }, "wrong_owner"],
    [
      "purpose and field that read alike when joined",
      { purpose: "lease-envl", field: "se_1" },
      "cannot_open",
    ],
    ["empty purpose", { purpose: "" }, "bad_context"],
    ["half a surrogate pair as field", { field: "\ud800" }, "bad_context"],
    ["endless field", { field: "f".repeat(1000) }, "bad_context"],
  ])("an envelope opened with another context: %s", (_what, change, code) => {
    const envelope = sealValue(key, context, Secret.of("value"));
    expect(vaultCode(() => openValue(key, { ...context, ...change }, envelope))).toBe(code);
  });

  test("any other purpose or field", () => {
    fc.assert(
      fc.property(anyPart, anyPart, anyPart, anyPart, (purpose, field, otherPurpose, otherField) => {
        fc.pre(purpose !== otherPurpose || field !== otherField);
        const envelope = sealValue(key, { purpose, ownerId: buildOwner, field }, Secret.of("value"));
        const elsewhere = { purpose: otherPurpose, ownerId: buildOwner, field: otherField };
        expect(vaultCode(() => openValue(key, elsewhere, envelope))).toBe("cannot_open");
      }),
    );
  });

  test("another owner's data key, even when it carries the same id", () => {
    const stranger = "bld_00000000000000000000";
    const envelope = sealValue(key, context, Secret.of("value"));
    const strangerKey = newDataKey(stranger);
    expect(vaultCode(() => openValue(strangerKey, context, envelope))).toBe("wrong_owner");
    expect(vaultCode(() => openValue(strangerKey, { ...context, ownerId: stranger }, envelope))).toBe(
      "cannot_open",
    );
  });

  test("the right owner's other data key", () => {
    const other = createDataKey(newKeyring(), { id: "dek_other", ownerId: buildOwner }).key;
    const envelope = sealValue(key, context, Secret.of("value"));
    expect(vaultCode(() => openValue(other, context, envelope))).toBe("wrong_data_key");
  });

  test("an envelope of one kind opened as another", () => {
    const envelope = sealValue(key, context, Secret.of("[]"));
    expect(vaultCode(() => openValues(key, context, envelope))).toBe("cannot_open");
    expect(vaultCode(() => openBytes(key, context, envelope))).toBe("cannot_open");
  });

  test("another version", () => {
    const envelope = sealValue(key, context, Secret.of("value")).replace(/^v1/, "v2");
    expect(vaultCode(() => openValue(key, context, envelope))).toBe("unsupported_version");
  });

  test.each([
    ["half a surrogate pair", "\udc00", "not_text"],
    ["more than the limit", "x".repeat(plaintextBytesMax + 1), "too_large"],
    ["more than the limit in UTF-8", "é".repeat(plaintextBytesMax / 2 + 1), "too_large"],
  ])("sealing %s as text", (_what, text, code) => {
    expect(vaultCode(() => sealValue(key, context, Secret.of(text)))).toBe(code);
  });

  test("sealing for an owner that is not the data key's", () => {
    const elsewhere = { ...context, ownerId: "bld_00000000000000000000" };
    expect(vaultCode(() => sealValue(key, elsewhere, Secret.of("value")))).toBe("wrong_owner");
  });
});

test("an envelope names its version and data key and nothing of its context or value", () => {
  const envelope = sealValues(key, context, secretValues({ JWT_SECRET: "plaintext" }));
  expect(envelope).toMatch(/^v1\.dek_0123456789abcdefghjk\.[A-Za-z0-9_-]+$/);
  const decoded = Buffer.from(envelope.split(".")[2] ?? "", "base64url").toString("latin1");
  expect(["plaintext", "JWT_SECRET", "lse_1", buildOwner].filter((part) => decoded.includes(part))).toEqual(
    [],
  );
});

test("an error holds neither plaintext nor ciphertext", () => {
  const envelope = sealValue(key, context, Secret.of("plaintext"));
  try {
    openValue(key, { ...context, field: "other" }, envelope);
    expect.unreachable();
  } catch (error) {
    const printed = inspect(error, { depth: null, showHidden: true });
    expect(printed).not.toContain("plaintext");
    expect(printed).not.toContain(envelope.slice(30, 60));
  }
});
