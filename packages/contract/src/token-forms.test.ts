import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  findTokens,
  newTokenBody,
  parseToken,
  tokenFormKinds,
  tokenForms,
  tokenPattern,
} from "./token-forms.ts";

const check = "abcdEF-_";
const forms = tokenFormKinds.flatMap((kind) => {
  const body = newTokenBody(kind, randomBytes);
  const { check: rule } = tokenForms[kind];
  return [
    ...(rule === "required" ? [] : [{ kind, text: body, body, check: undefined }]),
    ...(rule === "none" ? [] : [{ kind, text: body + check, body, check }]),
  ];
});

describe("the forms of tokens", () => {
  it("have different beginnings, none of which begins another", () => {
    const prefixes = tokenFormKinds.map((kind) => tokenForms[kind].prefix);
    const clashes = prefixes.filter((one) =>
      prefixes.some((other) => other !== one && other.startsWith(one)),
    );
    expect(clashes).toEqual([]);
  });

  it("have at least 100 random bits", () => {
    expect(
      Math.min(...tokenFormKinds.map((kind) => tokenForms[kind].secretBytes * 8)),
    ).toBeGreaterThanOrEqual(100);
  });

  it.each(forms)(
    "are taken apart and found in a text: $kind, check $check",
    ({ kind, text, body, check }) => {
      expect(parseToken(text, tokenFormKinds)).toEqual({ kind, body, check });
      expect(tokenPattern(kind).test(text)).toBe(true);
      expect([...findTokens(`a="${text}";`)]).toContainEqual({ value: text, index: 3 });
      expect(
        parseToken(
          text,
          tokenFormKinds.filter((other) => other !== kind),
        ),
      ).toBeUndefined();
    },
  );

  it.each(forms)("are refused with anything before, behind or missing: $kind, check $check", ({ text }) => {
    for (const wrong of [
      `${text}\n`,
      ` ${text}`,
      `${text}A`,
      text.slice(0, -1),
      text.replace("_", "-"),
      "",
    ]) {
      expect([wrong.length, parseToken(wrong, tokenFormKinds)]).toEqual([wrong.length, undefined]);
    }
  });

  it("are found without what follows them by chance", () => {
    const body = newTokenBody("build", randomBytes);
    expect([...findTokens(`${body}-and-more`)].map(({ value }) => value)).toContain(body);
  });
});
