import { expect, test } from "vitest";
import { compareWithExample } from "./index.ts";
import { shopSpec } from "./testing/shop-spec.ts";

test("tells what is missing, present and extra, in the order of the example", () => {
  const example = "# needed\nB=1\nexport A='x\nNOT=1'\n#C=\n\nD: \nB=2\n";
  expect(compareWithExample(example, ["A", "X", "D"])).toEqual({
    missing: [{ name: "B", optional: false }],
    extra: ["X"],
    present: ["A", "D"],
  });
});

test.each([
  ["a required variable", "SHOP_SECRET_KEY", { optional: false, ifUnset: "Nothing can be sold." }],
  ["an alias", "OLD_SHOP_KEY", { optional: false, ifUnset: "Nothing can be sold." }],
  ["an optional one", "SHOP_TOKEN", { optional: true }],
  ["a copy", "OTHER_TOKEN", { optional: true }],
  ["a public name", "NEXT_PUBLIC_SHOP_PUBLISHABLE_KEY", { optional: true }],
  ["one with a default", "SHOP_REGION", { optional: true, ifUnset: "It asks.", default: "auto" }],
  ["one that only lent credentials have", "SHOP_SESSION", { optional: true }],
  ["a member of a family", "SHOP_PRICE_PRO", { optional: true, ifUnset: "That price is not offered." }],
  ["one that no connector declares", "PORT", { optional: false }],
])("says of %s what happens without it", (_what, name, missing) => {
  expect(compareWithExample(`${name}=\n`, [], [shopSpec]).missing).toEqual([{ name, ...missing }]);
});
