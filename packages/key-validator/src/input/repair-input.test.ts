import { type EnvVarSpec, formOf, revealValues, secretValues } from "@keyloan/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repairInput } from "./repair-input.ts";

const server = { exposure: "server" } as const;
const variables: readonly EnvVarSpec[] = [
  {
    name: "PAY_SECRET",
    label: "Secret key",
    secret: true,
    ...formOf({ test: ["sk_test_", "rk_test_"], live: ["sk_live_", "rk_live_"] }, "[A-Za-z0-9]{10,99}"),
    ...server,
  },
  {
    name: "PAY_PUBLIC",
    label: "Publishable key",
    secret: false,
    ...formOf({ test: ["pk_test_"], live: ["pk_live_"] }, "[A-Za-z0-9]{10,99}"),
    exposure: "browser",
  },
  {
    name: "PAY_PRICE",
    label: "Price",
    secret: false,
    pattern: "^[A-Za-z0-9_]{1,255}$",
    optional: true,
    ...server,
  },
  {
    name: "PAY_PRICE_",
    label: "Listed price",
    secret: false,
    pattern: "^[A-Za-z0-9_]{1,255}$",
    family: true,
    optional: true,
    ...server,
  },
  {
    name: "PAY_URL",
    label: "Address",
    secret: false,
    ...formOf(["https://"], "[^\\s\\/]+"),
    role: "address",
    optional: true,
    aliases: ["PAY_HOST"],
    ...server,
  },
  { name: "PAY_WORD", label: "Password", secret: true, optional: true, ...server },
];
const sk = "sk_test_abcdefghij0123";
const pk = "pk_test_abcdefghij0123";

const repair = (given: Record<string, string>) => {
  const { values, repairs } = repairInput(variables, secretValues(given));
  return { values: revealValues(values), repairs };
};

describe("repairInput", () => {
  it.each([
    ["nothing", sk],
    ["white space", `  ${sk}\t\r\n`],
    ["a no-break space", `\u00A0${sk}\u202F`],
    ["a byte order mark", `\uFEFF${sk}`],
    ["zero-width characters inside", `sk_\u200Btest_\u2060abcdefghij\u00AD0123\u200D`],
    ["direction marks", `\u202A${sk}\u202C`],
    ["double quotes", `"${sk}"`],
    ["single quotes", `'${sk}'`],
    ["backticks", `\`${sk}\``],
    ["typographic quotes", `“${sk}”`],
    ["German quotes", `„${sk}“`],
    ["quotes and white space inside and around", ` " ${sk} " `],
    ["a comma", `${sk},`],
    ["a semicolon", `${sk} ;`],
    ["quotes and a comma", `"${sk}",`],
    ["the word Bearer", `Bearer ${sk}`],
    ["the word Bearer in quotes", `"Bearer ${sk}"`],
    ["its whole line", `PAY_SECRET=${sk}`],
    ["its line with export", `export PAY_SECRET=${sk}`],
    ["its line with quotes", `PAY_SECRET="${sk}"`],
    ["its line with spaces and a comment", `  PAY_SECRET = ${sk} # mine\n`],
    ["its line with invisible characters", `\u200BPAY_SECRET\u00A0=\u00A0${sk}`],
    ["its line in typographic quotes", `PAY_SECRET=“${sk}”`],
    ["its line with a colon", `PAY_SECRET: ${sk}`],
    ["a line of a foreign name", `STRIPE_KEY=${sk}`],
    ["a JSON object", `{"PAY_SECRET": "${sk}"}`],
  ])("gives the value when it comes with %s", (what, given) => {
    const { values, repairs } = repair({ PAY_SECRET: given, PAY_PUBLIC: pk });
    expect(values).toEqual({ PAY_SECRET: sk, PAY_PUBLIC: pk });
    expect(repairs.every(({ name, message }) => name === "PAY_SECRET" && !message.includes("abcdef"))).toBe(
      true,
    );
    expect(repairs.length > 0).toBe(what !== "nothing");
  });

  it.each([
    ["a slash at the end of an address", { PAY_URL: "https://x.test/" }, { PAY_URL: "https://x.test" }],
    ["another name of the variable", { PAY_HOST: "https://x.test" }, { PAY_URL: "https://x.test" }],
    ["a public name of the variable", { NEXT_PUBLIC_PAY_PUBLIC: pk }, { PAY_PUBLIC: pk }],
    ["a member of a family", { PAY_PRICE_PRO: ' "price_1" ' }, { PAY_PRICE_PRO: "price_1" }],
    ["blank values, which are left out", { PAY_SECRET: "", PAY_PUBLIC: " \n", PAY_PRICE: '""' }, {}],
    ["a secret key in the publishable field", { PAY_PUBLIC: sk }, { PAY_SECRET: sk }],
    [
      "two values that changed places",
      { PAY_PUBLIC: sk, PAY_SECRET: pk },
      { PAY_PUBLIC: pk, PAY_SECRET: sk },
    ],
    [
      "an address in a key's field",
      { PAY_SECRET: "https://x.test", PAY_PUBLIC: pk },
      { PAY_URL: "https://x.test", PAY_PUBLIC: pk },
    ],
    ["another variable's line", { PAY_SECRET: `PAY_PUBLIC=${pk}` }, { PAY_PUBLIC: pk }],
    [
      "a whole .env in one field",
      { PAY_PRICE: `A=1\nPAY_SECRET=${sk}\nPAY_PUBLIC="${pk}"\nPAY_PRICE=price_1` },
      { PAY_PRICE: "price_1", PAY_SECRET: sk, PAY_PUBLIC: pk },
    ],
    [
      "a line that may not overwrite",
      { PAY_SECRET: sk, PAY_PRICE: `PAY_SECRET=${sk}x\nPAY_PRICE=price_1` },
      { PAY_SECRET: sk, PAY_PRICE: "price_1" },
    ],
  ])("fixes %s", (_what, given, expected) => expect(repair(given).values).toEqual(expected));

  it.each([
    ["a publishable key given twice", { PAY_SECRET: pk, PAY_PUBLIC: pk }],
    ["a secret key where another stands already", { PAY_SECRET: sk, PAY_PUBLIC: `${sk}x` }],
    ["nonsense that would fit a loose pattern", { PAY_SECRET: "nonsense" }],
    ["a line break inside", { PAY_SECRET: "sk_test_abcde\nfghij0123" }],
    ["a password with an equals sign", { PAY_WORD: "a=b" }],
    ["a password with signs at its end", { PAY_WORD: "secret,;/" }],
    ["one quote", { PAY_WORD: '"secret' }],
    ["a Bearer as password", { PAY_WORD: "Bearer of news" }],
    ["a name that is none of them", { OTHER: " x " }],
    ["names that objects have by themselves", { constructor: "x", toString: "y" }],
  ])("leaves %s alone", (_what, given) => expect(repair(given)).toEqual({ values: given, repairs: [] }));

  it("takes no value away from where it is right, though it would be right elsewhere too", () => {
    const address = { secret: false, ...server, optional: true } as const;
    const shop = { ...address, name: "SHOP_URL", label: "Shop", ...formOf(["https://"], "[a-z.]+") };
    const stage = { ...address, name: "STAGE_URL", label: "Stage", pattern: "^https://[a-z.]+\\.test$" };
    const given = { STAGE_URL: "https://live.example", SHOP_URL: "https://shop.test" };
    expect(revealValues(repairInput([stage, shop], secretValues(given)).values)).toEqual(given);
  });

  it("prefers the variable's own name to its other names", () => {
    const both = { PAY_HOST: "https://other.test", PAY_URL: "https://own.test" };
    expect(repair(both).values).toEqual({ PAY_URL: "https://own.test" });
    expect(repair({ PAY_URL: "https://own.test", PAY_HOST: "https://other.test" }).values).toEqual({
      PAY_URL: "https://own.test",
    });
    expect(repair({ PAY_HOST: "https://other.test", PAY_URL: "" }).values).toEqual({
      PAY_URL: "https://other.test",
    });
  });

  it("changes nothing that is right already, whatever surrounds it", () => {
    const key = fc.stringMatching(/^sk_(test|live)_[A-Za-z0-9]{10,40}$/);
    const wrap = fc.constantFrom("", " ", "\n", '"', "'", "`", "\u200B", "\u00A0");
    fc.assert(
      fc.property(key, fc.array(wrap, { maxLength: 3 }), (value, wraps) => {
        const given = wraps.reduce((text, each) => each + text + each, value);
        const once = repair({ PAY_SECRET: given }).values;
        expect(repair(once)).toEqual({ values: once, repairs: [] });
        if (wraps.filter((each) => /["'`]/.test(each)).length < 2)
          expect(once).toEqual({ PAY_SECRET: value });
      }),
    );
  });

  it("never throws and never makes a value out of nothing", () => {
    const names = fc.constantFrom("PAY_SECRET", "PAY_PUBLIC", "PAY_URL", "PAY_WORD", "__proto__", "OTHER");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.string({ unit: "binary" })), { maxLength: 6 }), (pairs) => {
        const given = Object.fromEntries(pairs);
        for (const text of Object.values(repair(given).values)) {
          expect(
            pairs.some(([, value]) => value.normalize().length >= 1 && text.length <= value.length),
          ).toBe(true);
        }
      }),
    );
  });
});
