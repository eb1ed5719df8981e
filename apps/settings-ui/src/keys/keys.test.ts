import { describe, expect, it } from "vitest";
import { acme, saved } from "../testing/service.ts";
import { cardState } from "./card-state.ts";
import { filledValues, findMissing } from "./check-draft.ts";
import { cleanValue } from "./clean-value.ts";
import { looksLikeEnv, readPasted } from "./read-pasted.ts";
import { isWaiting, knownValues } from "./services.ts";

const idle = { phase: "idle", repairs: [] } as const;

describe("a service's fields", () => {
  it("asks for what is typed and needed, offers the rest, and never asks for what is made or only lent", () => {
    const { needed, extra, families, generated } = acme();
    const names = [needed, extra, families, generated].map((list) => list.map(({ name }) => name));
    expect(names).toEqual([
      ["ACME_URL", "ACME_SECRET"],
      ["ACME_KEY", "ACME_REGION"],
      ["ACME_PRICE_"],
      ["ACME_SIGNING"],
    ]);
  });

  it("fills in again what is no secret, and nothing else", () => {
    expect(knownValues(acme({ saved: saved("valid") }))).toEqual({ ACME_URL: "https://acme.example" });
  });

  it.each([
    ["nothing saved", {}, false],
    ["saved, not switched", { saved: saved("valid") }, true],
    ["in use", { source: "user", saved: saved("valid"), swappedAt: "2026-11-20T13:00:00.000Z" }, false],
    [
      "saved after the switch",
      { source: "user", saved: saved("valid"), swappedAt: "2026-11-20T11:00:00.000Z" },
      true,
    ],
  ] as const)("waits for the switch: %s", (_, changes, expected) => {
    expect(isWaiting(acme(changes).binding)).toBe(expected);
  });
});

describe("what is missing", () => {
  it("names every needed field that is empty or blank", () => {
    expect(findMissing(acme(), { ACME_URL: "  " }).map(({ message }) => message)).toEqual([
      "Enter the address.",
      "Enter the secret key.",
    ]);
  });

  it("does not miss a value that stands in another field, which the broker moves", () => {
    expect(findMissing(acme(), { ACME_URL: "https://a.example", ACME_KEY: "sk_12345" })).toEqual([]);
  });

  it("sends trimmed values and no empty ones", () => {
    expect(filledValues({ ACME_URL: " https://a.example \n", ACME_KEY: " " })).toEqual({
      ACME_URL: "https://a.example",
    });
  });
});

describe("the word for a service", () => {
  it.each([
    ["lent", {}, undefined, idle],
    ["not_checked", {}, { ACME_URL: "x" }, idle],
    ["not_checked", { saved: saved("valid") }, { ACME_URL: "x" }, idle],
    ["not_checked", { saved: saved("undetermined") }, undefined, idle],
    ["works", { saved: saved("valid") }, undefined, idle],
    ["checking", { saved: saved("valid") }, { ACME_URL: "x" }, { phase: "checking", since: 0 }],
  ] as const)("is %s", (expected, changes, draft, work) => {
    expect(cardState(acme(changes), draft, work)).toBe(expected);
  });
});

describe("a pasted value", () => {
  it.each([
    ["sk_1234", "sk_1234", undefined],
    ["  sk_1234\n", "sk_1234", "Spaces or line breaks around the value were removed."],
    ["'sk_1234'", "sk_1234", "Quotes around the value were removed."],
    [
      ' "sk_1234" ',
      "sk_1234",
      "Spaces or line breaks around the value were removed. Quotes around the value were removed.",
    ],
    ["“sk_1234”", "sk_1234", "Quotes around the value were removed."],
    ["sk_1234,", "sk_1234", "A comma or semicolon at the end was removed."],
    ["sk_\u200B1234", "sk_1234", "Invisible characters were removed."],
    ["export ACME_SECRET=sk_1234", "sk_1234", "Taken from the line ACME_SECRET=…"],
    ["OTHER=sk_1234", "OTHER=sk_1234", undefined],
    ["pa=ss'word", "pa=ss'word", undefined],
  ])("%j becomes %j", (pasted, value, repair) => {
    expect(cleanValue(pasted, { pattern: "^(?:sk_|OTHER|pa)[^,]*$" }, ["ACME_SECRET"])).toEqual(
      repair === undefined ? { value } : { value, repair },
    );
  });
});

describe("a pasted .env", () => {
  it("finds its fields by name, alias, public name and family", () => {
    const text = "ACME_URL=https://a.example\nNEXT_PUBLIC_ACME_KEY=pk_1\nexport ACME_PRICE_PRO='price_9'";
    const { found, fieldCount } = readPasted(text, [acme()]);
    expect(found).toEqual({
      acme: { ACME_URL: "https://a.example", ACME_KEY: "pk_1", ACME_PRICE_PRO: "price_9" },
    });
    expect(fieldCount).toBe(3);
  });

  it("lists what is of no use here, what nobody types, and what another line says otherwise", () => {
    const text = "FOO=1\nACME_SIGNING=x\nACME_SESSION=y\nACME_PUBLIC=pk_old\nACME_KEY=pk_new\nnonsense";
    expect(readPasted(text, [acme()])).toMatchObject({
      found: { acme: { ACME_KEY: "pk_new" } },
      unknown: ["FOO"],
      unneeded: ["ACME_SIGNING", "ACME_SESSION"],
      doubled: ["ACME_PUBLIC"],
      unreadableLines: [6],
    });
  });

  it("leaves a field as it is when its line is empty", () => {
    expect(readPasted("ACME_URL=\n", [acme()]).fieldCount).toBe(0);
  });

  it.each([
    ["ACME_URL=x", true],
    ['{"ACME_URL": "x"}', true],
    ["eyJhbGciOi.eyJwIjp7.0qX8", false],
    ["https://a.example/?b=c", false],
  ])("%j looks like one: %s", (text, expected) => {
    expect(looksLikeEnv(text)).toBe(expected);
  });
});
