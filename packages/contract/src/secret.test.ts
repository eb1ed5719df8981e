import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { revealValues, Secret, secretValues } from "./secret.ts";

const value = "canary-value";
const secret = Secret.of(value);

describe("Secret", () => {
  it.each<[string, () => string]>([
    ["String()", () => String(secret)],
    ["a template", () => `${secret}`],
    ["joining", () => [secret].join()],
    ["JSON", () => JSON.stringify({ secret })],
    ["inspect", () => inspect({ secret }, { depth: 9, showHidden: true })],
    ["its own properties", () => JSON.stringify(Object.entries(secret))],
    ["a structured clone", () => JSON.stringify(structuredClone(secret))],
    ["an error message", () => String(new Error(`failed with ${secret}`))],
  ])("does not print its value in %s", (_where, print) => {
    expect(print()).not.toContain(value);
  });

  it("gives its value to whoever asks by name", () => {
    expect(secret.reveal()).toBe(value);
    expect(revealValues(secretValues({ NAME: value }))).toEqual({ NAME: value });
  });
});
