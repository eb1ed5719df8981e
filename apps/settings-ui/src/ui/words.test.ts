import { describe, expect, it } from "vitest";
import { cannotText, canText, spokenText } from "../checks/check-text.ts";
import { sentence } from "./prose.tsx";
import { durationText, spanText } from "./time.tsx";

describe("words", () => {
  it.each([
    [86_400_000, "24 h 00 min"],
    [86_399_000, "23 h 59 min"],
    [3_600_000, "1 h 00 min"],
    [3_599_000, "59 min 59 s"],
    [60_000, "1 min 00 s"],
    [59_200, "1 min 00 s"],
    [1, "1 s"],
    [0, "0 s"],
  ])("%i ms are left: %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it.each([
    [86_400, "24 hours"],
    [3_600, "1 hour"],
    [5_400, "90 minutes"],
    [5_400 * 2, "3 hours"],
    [60, "1 minute"],
  ])("%i s agreed on: %s", (seconds, text) => {
    expect(spanText(seconds)).toBe(text);
  });

  it.each([
    ["the key is wrong", "The key is wrong."],
    ["ACME_KEY is missing.", "ACME_KEY is missing."],
    ["sk_live is no key", "sk_live is no key."],
    ["see https://a.example/x", "See https://a.example/x"],
  ])("%j becomes a sentence", (text, expected) => {
    expect(sentence(text)).toBe(expected);
  });

  it("reads a capability map as sentences", () => {
    const check = {
      status: "valid",
      account: "Acme GmbH",
      mode: "live",
      capabilities: [
        { name: "Can read prices", state: "works" },
        { name: "Can create prices", state: "works" },
        { name: "Both keys belong to the same account", state: "works" },
        { name: "Can create webhook endpoints", state: "missing" },
      ],
      warnings: [],
    } as const;
    expect(canText(check)).toBe("Can read prices and create prices. Both keys belong to the same account.");
    expect(cannotText("Can create webhook endpoints")).toBe("Cannot create webhook endpoints.");
    expect(spokenText(check, "Acme")).toBe(
      "Acme: works. Account Acme GmbH, live mode. Cannot create webhook endpoints.",
    );
  });
});
