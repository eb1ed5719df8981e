import { describe, expect, it } from "vitest";
import { findVariable, sharedNames } from "./find-variable.ts";

const variables = [
  { name: "SHOP_KEY", exposure: "server", aliases: ["SHOP_SECRET"], copies: { aws: ["AWS_KEY"] } },
  { name: "SHOP_PUBLIC_KEY", exposure: "browser" },
  { name: "SHOP_PRICE", exposure: "server" },
  { name: "SHOP_PRICE_", exposure: "server", family: true },
] as const;

describe("findVariable", () => {
  it.each([
    ["SHOP_KEY", "SHOP_KEY"],
    ["SHOP_SECRET", "SHOP_KEY"],
    ["AWS_KEY", "SHOP_KEY"],
    ["NEXT_PUBLIC_SHOP_PUBLIC_KEY", "SHOP_PUBLIC_KEY"],
    ["VITE_SHOP_PUBLIC_KEY", "SHOP_PUBLIC_KEY"],
    ["EXPO_PUBLIC_SHOP_PUBLIC_KEY", "SHOP_PUBLIC_KEY"],
    ["SHOP_PRICE", "SHOP_PRICE"],
    ["SHOP_PRICE_PRO", "SHOP_PRICE_"],
    ["SHOP_PRICE_", undefined],
    ["NEXT_PUBLIC_SHOP_KEY", undefined],
    ["shop_key", undefined],
    ["constructor", undefined],
  ])("%s means %s", (name, expected) => expect(findVariable(variables, name)?.name).toBe(expected));
});

describe("sharedNames", () => {
  const server = (name: string) => ({ name, exposure: "server" as const });
  it.each([
    ["other names", [server("OTHER")], []],
    ["the name itself", [server("SHOP_KEY")], ["SHOP_KEY"]],
    ["an alias", [server("SHOP_SECRET")], ["SHOP_SECRET"]],
    ["a copied name", [server("AWS_KEY")], ["AWS_KEY"]],
    ["a public name", [server("NEXT_PUBLIC_SHOP_PUBLIC_KEY")], ["NEXT_PUBLIC_SHOP_PUBLIC_KEY"]],
    ["a member of a family", [server("SHOP_PRICE_PRO")], ["SHOP_PRICE_PRO"]],
    [
      "a wider family",
      [{ ...server("SHOP_"), family: true }],
      ["SHOP_KEY", "SHOP_SECRET", "SHOP_PUBLIC_KEY"],
    ],
  ])("finds %s", (_what, other, expected) => {
    expect(sharedNames(variables, other)).toEqual(expect.arrayContaining(expected));
    expect(sharedNames(other, variables).toSorted()).toEqual(sharedNames(variables, other).toSorted());
    expect(sharedNames(variables, other).length > 0).toBe(expected.length > 0);
  });
});
