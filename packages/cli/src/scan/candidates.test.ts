import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { findCandidates } from "./candidates.ts";

const hex = randomBytes(24).toString("hex");
const base64 = randomBytes(33).toString("base64");
const url = randomBytes(32).toString("base64url");
const jwt = [40, 60, 64].map((size) => randomBytes(size).toString("base64url")).join(".");
const token = `klo_bld_${url}`;
const secrets: readonly [string, string][] = [
  ["a hex key", hex],
  ["base64 with its own signs", base64],
  ["a web token", jwt],
  ["a Keyloan token", token],
  ["a Keyloan token with its check", `${token}${hex.slice(0, 8)}`],
  ["a provider's key", `sk_live_${hex.slice(0, 24)}`],
];
const surroundings: readonly [string, (value: string) => string][] = [
  ["minified code", (value) => `e.exports={k:"${value}",n:1};var t=function(){}`],
  ["a template", (value) => `fetch(\`https://h/\`,{h:'${value}'})`],
  ["an env file", (value) => `A=1\nSECRET=${value}\nB=2`],
  ["a YAML file", (value) => `key: ${value}\n`],
  ["JSON inside a string", (value) => JSON.stringify({ s: JSON.stringify({ key: value }) })],
  ["a query", (value) => `"https://host/p?a=1&token=${encodeURIComponent(value)}&b=2"`],
  ["base64", (value) => `"${Buffer.from(JSON.stringify({ k: value })).toString("base64")}"`],
  [
    "base64 cut at its start",
    (value) => Buffer.from(`xxxxxxxxxxxx {"k":"${value}"} `).toString("base64").slice(1),
  ],
  [
    "base64 in base64",
    (value) => Buffer.from(Buffer.from(` ${value} `).toString("base64")).toString("base64"),
  ],
  ["escapes of JSON", (value) => `"${value.replaceAll("/", "\\/").replaceAll("-", "\\u002d")}"`],
  ["escapes of JavaScript", (value) => `"${value.replaceAll("_", "\\x5f").replaceAll("+", "\\x2B")}"`],
  ["HTML", (value) => `<meta name="k" content="${value}">`],
  ["the end of a sentence", (value) => `the key is ${value}.`],
  ["bytes that are no text", (value) => `\u0000\u00ff\u0001${value}\u0000\u00fe`],
];
const cases = secrets.flatMap(([what, value]) =>
  surroundings.map(([where, wrap]) => ({ what, where, text: wrap(value), value })),
);

describe("candidates", () => {
  it.each(cases)("have $what in $where", ({ text, value }) => {
    const found = [...findCandidates(text, () => false)].map((candidate) => candidate.value);
    expect(found).toContain(value);
  });

  it("have a Keyloan token in the middle of a longer text", () => {
    const found = [...findCandidates(`"key9${token}tail_of_a_name"`, () => false)].map(({ value }) => value);
    expect(found).toContain(token);
  });

  it("say where a value begins", () => {
    const text = `var a=1;\nvar k="${hex}";`;
    expect([...findCandidates(text, () => false)].find(({ value }) => value === hex)?.index).toBe(
      text.indexOf(hex),
    );
  });

  it("are few in code that holds no secret", () => {
    const code = `export function createElementWithChildren(parentElement, childElements) {
      const containerForEverything = document.createElement("section");
      for (const child of childElements) containerForEverything.appendChild(child);
      return parentElement.appendChild(containerForEverything); }\n`.repeat(50);
    expect(new Set([...findCandidates(code, () => false)].map(({ value }) => value)).size).toBe(0);
  });

  it("have what is not random but has the shape of a known variable", () => {
    const isShape = (value: string) => /^whsec_[a-z]+$/.test(value);
    const found = [...findCandidates('x="whsec_abcabcabcabc"', isShape)].map(({ value }) => value);
    expect(found).toContain("whsec_abcabcabcabc");
    expect([...findCandidates('x="whsec_abcabcabcabc"', () => false)]).toEqual([]);
  });
});
