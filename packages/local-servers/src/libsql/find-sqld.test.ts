import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { findSqld } from "./find-sqld.ts";

test("finds the program of this machine's platform", () => {
  expect(existsSync(findSqld())).toBe(true);
});

test.each([
  ["win32", "x64"],
  ["linux", "ia32"],
  ["freebsd", "arm64"],
])("a platform without a program (%s-%s) gets one sentence that says so", (platform, cpu) => {
  expect(() => findSqld(platform, cpu)).toThrow(
    new RegExp(`^There is no libSQL server for ${platform}-${cpu}: .+\\.$`),
  );
});

test("a skipped optional dependency is named with its remedy", () => {
  const resolve = () => {
    throw new Error("Cannot find module");
  };
  expect(() => findSqld("darwin", "arm64", resolve)).toThrow("install again with optional dependencies");
});
