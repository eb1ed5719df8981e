import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  findTokens,
  newTokenBody,
  parseToken,
  readRecoveryCode,
  tokenFormKinds,
  tokenForms,
  tokenPattern,
  writeToken,
} from "./token-forms.ts";

const check = "abcdEF-_";
const build = "bld_3k9abcdefghjkmnpqrst";
const forms = tokenFormKinds.flatMap((kind) => {
  const body = newTokenBody(kind, randomBytes, build);
  const { check: rule, written } = tokenForms[kind];
  if (written === "typed") return [{ kind, text: writeToken(kind, body, check), body, check: "d6vht42zqw" }];
  return [
    ...(rule === "required" ? [] : [{ kind, text: body, body, check: undefined }]),
    ...(rule === "none" ? [] : [{ kind, text: writeToken(kind, body, check), body, check }]),
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

describe("a recovery code", () => {
  const code = writeToken("recovery", newTokenBody("recovery", randomBytes, build), check);

  it("names its build, in groups", () => {
    expect(code).toMatch(/^klo_rec_(?:[0-9a-z]{6}-){8}[0-9a-z]{6}$/);
    expect(code.replaceAll("-", "")).toContain("klo_rec_3k9abcdefghjkmnpqrst");
  });

  it.each([
    ["as it was shown", code],
    ["in capitals", code.toUpperCase()],
    ["without its beginning", code.slice(8)],
    ["with spaces for dashes and around it", `\n ${code.replaceAll("-", " ")} `],
    ["without any dash", code.replaceAll("-", "")],
    ["with characters that look alike", code.slice(8).replaceAll("1", "l").replaceAll("0", "O")],
  ])("is read %s", (_how, typed) => {
    expect(readRecoveryCode(typed)).toBe(code);
  });

  it.each(["", "klo_rec_", code.slice(0, -1), `${code}0`, code.replace("-", "u-")])(
    "that cannot be one is none",
    (typed) => {
      expect(readRecoveryCode(typed)).toBeUndefined();
    },
  );
});
