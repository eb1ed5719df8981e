import { type FieldSpec, Secret } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { keyModeOf, literalPrefixes } from "./literal-prefixes.ts";

describe("literalPrefixes", () => {
  it.each([
    ["^pk_live_[a-z]+$", ["pk_live_"]],
    ["^(?:sk|rk)_(?:test|live)_\\w+$", ["sk_test_", "sk_live_", "rk_test_", "rk_live_"]],
    ["^(sk|rk)_x", ["sk_x", "rk_x"]],
    ["^https?:\\/\\/\\S+$", ["https://", "http://"]],
    ["^(?:libsql|https?|wss?):\\/\\/", ["libsql://", "https://", "http://", "wss://", "ws://"]],
    ["^whsec_.{8}", ["whsec_"]],
    ["^abc+$", []],
    ["^abcd*$", ["abc"]],
    ["^abc[de]{3}$", ["abc"]],
    ["^ab$", []],
    ["^(?!cfk_)[a-z]+$", []],
    ["^(?:[ab]c|def)ghi$", []],
    ["^(default|eu|fedramp)$", []],
    ["^\\S{32,}$", []],
    ["^$", []],
    ["sk_live_", []],
    [undefined, []],
  ])("of %s are %j", (pattern, expected) => expect(literalPrefixes(pattern)).toEqual(expected));

  it("gives up on a pattern with very many", () => {
    expect(literalPrefixes(`^${"(?:a|b)".repeat(40)}$`).length).toBeLessThan(64);
  });
});

describe("keyModeOf", () => {
  const field = { name: "KEY", label: "Key", secret: true };
  const withModes: FieldSpec = { ...field, pattern: "^sk_(?:test|live)_[a-z]+$" };
  it.each([
    [withModes, "sk_live_abc", "live"],
    [withModes, "sk_test_abc", "test"],
    [withModes, "sk_test_live_abc", "test"],
    [withModes, "abc", undefined],
    [withModes, "", undefined],
    [{ ...field, pattern: "^whsec_[a-z]+$" }, "whsec_live", undefined],
    [field, "sk_live_abc", undefined],
  ])("reads it only where the pattern says so (%#)", (spec, value, expected) => {
    expect(keyModeOf(spec, Secret.of(value))).toBe(expected);
  });
  it("of no value is unknown", () => expect(keyModeOf(withModes, undefined)).toBeUndefined());
});
