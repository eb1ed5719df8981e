import { expect, test } from "vitest";
import { findChromium } from "./find-chromium.ts";

test("a named browser is taken, an empty name means none, and one that cannot be run is said", () => {
  expect(findChromium(process.execPath)).toBe(process.execPath);
  expect(findChromium("")).toBeUndefined();
  expect(() => findChromium("/nowhere/chromium")).toThrow("CHROMIUM_PATH=/nowhere/chromium cannot be run");
});
