import { type EnvVarSpec, formOf, secretValues } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { checkUserShape, findMisshapen, findMissing } from "./check-user-shape.ts";

const variables: readonly EnvVarSpec[] = [
  {
    name: "PAY_SECRET",
    label: "Secret key",
    secret: true,
    ...formOf({ test: ["sk_test_"], live: ["sk_live_"] }, "[A-Za-z0-9]{10,99}"),
    helpUrl: "https://pay.example/keys",
    exposure: "server",
  },
  {
    name: "PAY_PUBLIC",
    label: "Publishable key",
    secret: false,
    ...formOf({ test: ["pk_test_"], live: ["pk_live_"] }, "[A-Za-z0-9]{10,99}"),
    exposure: "browser",
  },
  {
    name: "PAY_URL",
    label: "Address",
    secret: false,
    ...formOf(["https://"], "\\S+"),
    role: "address",
    optional: true,
    exposure: "server",
  },
  {
    name: "PAY_PRICE_",
    label: "Price",
    secret: false,
    ...formOf(["price_"], "[a-z]+"),
    family: true,
    optional: true,
    exposure: "server",
  },
];
const good = { PAY_SECRET: "sk_live_abcdefghij", PAY_PUBLIC: "pk_live_abcdefghij" };

describe("checkUserShape", () => {
  it("has nothing against complete values, also with an optional one and one of a family", () => {
    const values = secretValues({ ...good, PAY_URL: "https://x.test", PAY_PRICE_PRO: "price_pro" });
    expect(checkUserShape(variables, values)).toBeUndefined();
  });

  it.each([
    ["a missing value", { PAY_SECRET: undefined }, "PAY_SECRET", "“Secret key” is missing."],
    ["a blank value", { PAY_PUBLIC: " " }, "PAY_PUBLIC", "“Publishable key” is missing."],
    ["a name that is none", { OTHER: "x" }, "OTHER", "has no variable with this name"],
    [
      "the other key",
      { PAY_SECRET: "pk_live_abcdefghij" },
      "PAY_SECRET",
      "This is “Publishable key”; “Secret key” starts with sk_test_ or sk_live_.",
    ],
    [
      "a hidden middle",
      { PAY_SECRET: "sk_live_••••••••1234" },
      "PAY_SECRET",
      "middle of the value is hidden",
    ],
    ["an ellipsis", { PAY_SECRET: "sk_live_…" }, "PAY_SECRET", "placeholder"],
    ["stars", { PAY_SECRET: "sk_live_****" }, "PAY_SECRET", "placeholder"],
    ["a placeholder", { PAY_SECRET: "<your key>" }, "PAY_SECRET", "placeholder"],
    ["a line break inside", { PAY_SECRET: "sk_live_abcde\nfghij" }, "PAY_SECRET", "space or a line break"],
    ["a cut key", { PAY_SECRET: "sk_live_abc" }, "PAY_SECRET", "a part may be missing"],
    ["an address without its beginning", { PAY_URL: "x.test" }, "PAY_URL", "before ://"],
    ["a wrong member of a family", { PAY_PRICE_PRO: "12" }, "PAY_PRICE_PRO", "does not look like “Price”"],
  ])("names %s precisely, without the value", (_what, change, envVar, message) => {
    const given = Object.fromEntries(
      Object.entries({ ...good, ...change }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    );
    const answer = checkUserShape(variables, secretValues(given));
    expect(answer).toMatchObject({ status: "invalid", code: "malformed", envVar });
    expect(JSON.stringify(answer)).toContain(message);
    expect(JSON.stringify(answer)).not.toMatch(/abcdef|1234|your key/);
  });

  it("says where the value is found and how it begins", () => {
    expect(checkUserShape(variables, secretValues({}))).toMatchObject({
      remedy:
        "Copy the whole value of “Secret key”. It starts with sk_test_ or sk_live_. Find it at https://pay.example/keys",
    });
  });

  it("finds every gap and every misfit for those who want all", () => {
    const values = secretValues({ PAY_SECRET: "x", PAY_PUBLIC: "y" });
    expect(findMisshapen(variables, values).map(({ envVar }) => envVar)).toEqual([
      "PAY_SECRET",
      "PAY_PUBLIC",
    ]);
    expect(findMissing(variables, secretValues({})).map(({ name }) => name)).toEqual([
      "PAY_SECRET",
      "PAY_PUBLIC",
    ]);
  });
});
