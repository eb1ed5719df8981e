import { type FieldSpec, revealValues, secretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { credentialProbes } from "./credential-probes.ts";

const field = (name: string, more: Partial<FieldSpec> = {}): FieldSpec => ({
  name,
  label: name,
  secret: false,
  ...more,
});
const specs = [
  field("account"),
  field("keyId", { identifies: true }),
  field("secret", { secret: true }),
  field("apiToken", { secret: true, optional: true }),
];
const old = { account: "a", keyId: "id1", secret: "s1", apiToken: "t1" };
const probesOf = (current: Record<string, string> | undefined) =>
  credentialProbes(specs, secretValues(old), current && secretValues(current)).map(
    ({ fields, refusedBy }) => ({ fields: revealValues(fields), refusedBy }),
  );

describe("what is asked to know that a replaced key is dead", () => {
  const required = {
    fields: { account: "a", keyId: "id1", secret: "s1" },
    refusedBy: ["keyId", "secret"],
  };

  test("every secret of its own, the optional one beside the key in use", () => {
    const current = { account: "a", keyId: "id2", secret: "s2", apiToken: "t2" };
    expect(probesOf(current)).toEqual([
      required,
      { fields: { ...current, apiToken: "t1" }, refusedBy: ["apiToken"] },
    ]);
  });

  test("a secret that the key in use shares is not asked about: it lives on", () => {
    expect(probesOf({ ...old, keyId: "id2", secret: "s2" })).toEqual([required]);
    expect(probesOf({ ...old, apiToken: "t2" })).toEqual([
      { fields: { ...old, apiToken: "t1" }, refusedBy: ["apiToken"] },
    ]);
  });

  test("nothing when the key in use holds them all", () => {
    expect(probesOf({ ...old, account: "b" })).toEqual([]);
  });

  test.each([
    ["another account", { account: "b", keyId: "id2", secret: "s2", apiToken: "t2" }],
    ["no key in use", undefined],
  ])("with %s the whole key is asked about, for one refusal tells of every part", (_what, current) => {
    expect(probesOf(current)).toEqual([
      required,
      { fields: old, refusedBy: ["keyId", "secret", "apiToken"] },
    ]);
  });
});
