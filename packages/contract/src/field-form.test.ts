import { describe, expect, it } from "vitest";
import { findOwner, fitsField, formOf, keyModeOf, patternStart } from "./field-form.ts";

const form = formOf({ test: ["sk_test_", "rk_test_"], live: ["sk_live_"] }, "[a-z]{3,9}");
const secret = { name: "SECRET", label: "Secret key", secret: true, exposure: "server", ...form } as const;
const shown = {
  name: "PUBLIC",
  label: "Public key",
  secret: false,
  exposure: "browser",
  ...formOf(["pk_"], "[a-z0-9]{3,9}"),
} as const;
const hook = {
  name: "HOOK",
  label: "Webhook secret",
  secret: true,
  exposure: "server",
  role: "webhook_secret",
  ...formOf(["whsec_"], "[a-z]+"),
} as const;
const acme = { label: "Acme", orgFields: [], env: [secret, shown, hook] };
const other = {
  label: "Other",
  orgFields: [],
  env: [
    { ...shown, name: "OTHER_PUBLIC", ...formOf(["pk_"], "[a-z0-9]{3,99}"), unmistakable: "^pk_77" },
    { ...hook, name: "OTHER_HOOK", ...formOf(["whsec_"], "[a-z0-9]+") },
  ],
};

describe("a form", () => {
  it("is the pattern of its beginnings, signs of patterns taken as they are", () => {
    expect(form.pattern).toBe("^(?:sk_test_|rk_test_|sk_live_)[a-z]{3,9}$");
    expect(patternStart({ begins: ["https://", "a.b"] })).toBe("^(?:https:\\/\\/|a\\.b)");
    expect([fitsField(form, "rk_test_abc"), fitsField(form, "rk_live_abc")]).toEqual([true, false]);
  });

  it.each([
    ["sk_live_abc", "live"],
    ["rk_test_abc", "test"],
    ["sk_test_live_abc", "test"],
    ["abc", undefined],
    ["", undefined],
  ])("tells the mode of %s: %s", (value, mode) => expect(keyModeOf(form, value)).toBe(mode));

  it("without modes tells none", () => {
    expect(keyModeOf({ begins: ["whsec_"] }, "whsec_live")).toBeUndefined();
    expect(keyModeOf({}, "sk_live_abc")).toBeUndefined();
  });
});

describe("a text in the wrong field", () => {
  const known = [acme, other];
  it.each([
    ["a neighbour's", secret, "pk_abc", { field: shown }],
    ["another provider's", secret, "pk_abcdefghijkl", { field: other.env[0], label: "Other" }],
    ["nobody's", secret, "sk_abc", undefined],
    ["where it belongs", shown, "pk_abc", undefined],
    ["another's for certain, though it fits", shown, "pk_7712", { field: other.env[0], label: "Other" }],
    [
      "the secret of a webhook, of whichever provider",
      { ...secret, name: "X" },
      "whsec_abc",
      { field: hook },
    ],
  ] as const)("is %s", (_whose, field, text, owner) => {
    expect(findOwner(field, text, field === secret ? [secret, shown] : [], known)).toEqual(owner);
  });
});
