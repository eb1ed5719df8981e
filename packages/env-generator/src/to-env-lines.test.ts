import { type ConnectorSpec, type EnvVarSpec, envProfiles, secretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { type ConnectorValues, copySets, EnvFormatError, type EnvLineOptions, toEnvLines } from "./index.ts";

const variable = (name: string, more: Partial<EnvVarSpec> = {}): EnvVarSpec => ({
  name,
  label: name,
  secret: true,
  exposure: "server",
  ...more,
});

const spec = (env: readonly EnvVarSpec[], label = "Shop"): ConnectorSpec => ({
  id: "shop",
  label,
  category: "payments",
  summary: "Sells.",
  grade: "E",
  revocation: "None.",
  orgFields: [],
  env,
});

const connector = (
  env: readonly EnvVarSpec[],
  values: Record<string, string>,
  label?: string,
): ConnectorValues => ({
  spec: spec(env, label),
  values: secretValues(values),
});

const written = (connectors: readonly ConnectorValues[], options: Partial<EnvLineOptions> = {}) =>
  toEnvLines(connectors, { profile: "plain", ...options }).map(({ name, value }) => [name, value.reveal()]);

function refusedWith(action: () => unknown): readonly [code: string, variable: string] {
  try {
    action();
  } catch (error) {
    if (error instanceof EnvFormatError) return [error.code, error.variable];
    throw error;
  }
  throw new Error("it was not refused");
}

const publishable = variable("SHOP_PUBLISHABLE_KEY", { secret: false, exposure: "browser" });

describe("a variable for browsers", () => {
  test.each([
    ["plain", ["SHOP_PUBLISHABLE_KEY"]],
    ["next", ["SHOP_PUBLISHABLE_KEY", "NEXT_PUBLIC_SHOP_PUBLISHABLE_KEY"]],
    ["vite", ["SHOP_PUBLISHABLE_KEY", "VITE_SHOP_PUBLISHABLE_KEY"]],
    ["expo", ["SHOP_PUBLISHABLE_KEY", "EXPO_PUBLIC_SHOP_PUBLISHABLE_KEY"]],
  ] as const)("has the public name of the profile %s too", (profile, names) => {
    const lines = written([connector([publishable], { SHOP_PUBLISHABLE_KEY: "pk" })], { profile });
    expect(lines).toEqual(names.map((name) => [name, "pk"]));
  });

  test("that has its public name already does not get it twice", () => {
    const named = variable("VITE_SHOP_KEY", { secret: false, exposure: "browser" });
    expect(written([connector([named], { VITE_SHOP_KEY: "pk" })], { profile: "vite" })).toEqual([
      ["VITE_SHOP_KEY", "pk"],
    ]);
  });
});

test.each(envProfiles)("a server variable has no public name in the profile %s", (profile) => {
  const lines = written([connector([variable("SHOP_SECRET")], { SHOP_SECRET: "sk" })], { profile });
  expect(lines).toEqual([["SHOP_SECRET", "sk"]]);
});

test("aliases are always written, copies only when their set is asked for", () => {
  const named = variable("R_KEY", { aliases: ["OLD_KEY"], copies: { aws: ["AWS_KEY"], gcp: ["GCP_KEY"] } });
  const connectors = [connector([named], { R_KEY: "v" })];
  expect(written(connectors)).toEqual([
    ["R_KEY", "v"],
    ["OLD_KEY", "v"],
  ]);
  expect(written(connectors, { copies: ["aws"] }).map(([name]) => name)).toEqual([
    "R_KEY",
    "OLD_KEY",
    "AWS_KEY",
  ]);
  expect(written(connectors, { copies: ["constructor", "none"] }).map(([name]) => name)).toEqual([
    "R_KEY",
    "OLD_KEY",
  ]);
  expect(copySets([spec([named]), spec([publishable])])).toEqual(["aws", "gcp"]);
});

test("optional variables without a value are left out and empty values are not", () => {
  const env = [variable("A", { optional: true }), variable("B", { optional: true })];
  expect(written([connector(env, { B: "" })])).toEqual([["B", ""]]);
});

test("the order is that of connectors and specs, not of values", () => {
  const one = connector([variable("A"), variable("B")], { B: "2", A: "1" });
  const two = connector([variable("C")], { C: "3" });
  expect(written([two, one]).map(([name]) => name)).toEqual(["C", "A", "B"]);
});

test("a family's members are written by their own names, and the longest family fits", () => {
  const env = [
    variable("PRICE_ID", { secret: false }),
    variable("PRICE_", { family: true, secret: false }),
    variable("PRICE_SHOWN_", { family: true, secret: false, exposure: "browser" }),
  ];
  const values = { PRICE_ID: "1", PRICE_BIG: "2", PRICE_SHOWN_SMALL: "3" };
  expect(written([connector(env, values)], { profile: "vite" })).toEqual([
    ["PRICE_ID", "1"],
    ["PRICE_BIG", "2"],
    ["PRICE_SHOWN_SMALL", "3"],
    ["VITE_PRICE_SHOWN_SMALL", "3"],
  ]);
});

test("one name with one value from two connectors is written once", () => {
  const connectors = [
    connector([variable("A")], { A: "same" }),
    connector([variable("A")], { A: "same" }, "Other"),
  ];
  expect(written(connectors)).toEqual([["A", "same"]]);
});

test.each([
  ["a missing value", connector([variable("A"), variable("B")], { B: "1" }), ["missing_value", "A"]],
  ["an undeclared value", connector([variable("A")], { A: "1", X: "2" }), ["undeclared_variable", "X"]],
  [
    "`__proto__` as a name",
    connector([], JSON.parse('{"__proto__":"1"}')),
    ["undeclared_variable", "__proto__"],
  ],
] as const)("%s is refused by name", (_what, values, refused) => {
  expect(refusedWith(() => written([values]))).toEqual(refused);
});

test("one name with two values is refused by name", () => {
  const connectors = [
    connector([variable("A")], { A: "1" }),
    connector([variable("A")], { A: "2" }, "Other"),
  ];
  expect(refusedWith(() => written(connectors))).toEqual(["duplicate_name", "A"]);
});

describe("the same spec used again", () => {
  const shop = spec([publishable, variable("PRICE_", { family: true, secret: false })]);
  const lines = (values: Record<string, string>, options: Partial<EnvLineOptions> = {}) =>
    written([{ spec: shop, values: secretValues(values) }], options);

  test("writes each build's own values under the names of its own options", () => {
    const first = lines({ SHOP_PUBLISHABLE_KEY: "pk_1" });
    expect(lines({ SHOP_PUBLISHABLE_KEY: "pk_2" }, { profile: "vite" })).toEqual([
      ["SHOP_PUBLISHABLE_KEY", "pk_2"],
      ["VITE_SHOP_PUBLISHABLE_KEY", "pk_2"],
    ]);
    expect(first).toEqual([["SHOP_PUBLISHABLE_KEY", "pk_1"]]);
    expect(lines({ SHOP_PUBLISHABLE_KEY: "pk_3" })).toEqual([["SHOP_PUBLISHABLE_KEY", "pk_3"]]);
  });

  test("refuses as it did the first time, whatever was written in between", () => {
    const refused = () => refusedWith(() => lines({ SHOP_PUBLISHABLE_KEY: "pk", OTHER: "1" }));
    expect(refused()).toEqual(["undeclared_variable", "OTHER"]);
    lines({ SHOP_PUBLISHABLE_KEY: "pk", PRICE_A: "1" });
    expect(refused()).toEqual(["undeclared_variable", "OTHER"]);
    expect(refusedWith(() => lines({ PRICE_A: "1" }))).toEqual(["missing_value", "SHOP_PUBLISHABLE_KEY"]);
  });

  test("knows family members of any number of builds", () => {
    const names = Array.from({ length: 250 }, (_, index) => `PRICE_${index}`);
    const last = names.map((name) => lines({ SHOP_PUBLISHABLE_KEY: "pk", [name]: name }).at(-1));
    expect(last).toEqual(names.map((name) => [name, name]));
  });
});

describe("a secret never gets a public name", () => {
  test.each([
    ["by its exposure", variable("KEY", { exposure: "browser" }), "KEY"],
    ["by its own name", variable("VITE_KEY"), "VITE_KEY"],
    ["by an alias", variable("KEY", { aliases: ["NEXT_PUBLIC_KEY"] }), "NEXT_PUBLIC_KEY"],
    ["by a copy", variable("KEY", { copies: { aws: ["REACT_APP_KEY"] } }), "REACT_APP_KEY"],
    ["by a server variable's public name", variable("PUBLIC_KEY", { secret: false }), "PUBLIC_KEY"],
  ])("%s, in any profile", (_what, leaky, name) => {
    const connectors = [connector([leaky], { [leaky.name]: "sk" })];
    const refusals = envProfiles.map((profile) =>
      refusedWith(() => written(connectors, { profile, copies: ["aws"] })),
    );
    expect(refusals).toEqual(envProfiles.map(() => ["secret_exposed", name]));
  });

  test("by a family's member", () => {
    const family = variable("NEXT_", { family: true });
    const connectors = [connector([family], { NEXT_PUBLIC_KEY: "sk" })];
    expect(refusedWith(() => written(connectors))).toEqual(["secret_exposed", "NEXT_PUBLIC_KEY"]);
  });

  test("by being pasted where the publishable value belongs, from any connector", () => {
    const first = connector([publishable], { SHOP_PUBLISHABLE_KEY: "sk_test_1" });
    const second = connector([variable("OTHER_SECRET")], { OTHER_SECRET: "sk_test_1" }, "Other");
    expect(refusedWith(() => written([first, second], { profile: "next" }))).toEqual([
      "secret_exposed",
      "NEXT_PUBLIC_SHOP_PUBLISHABLE_KEY",
    ]);
  });

  test("and two empty values are no leak", () => {
    const empty = connector([publishable, variable("B")], { SHOP_PUBLISHABLE_KEY: "", B: "" });
    expect(written([empty], { profile: "next" })).toHaveLength(3);
  });
});
