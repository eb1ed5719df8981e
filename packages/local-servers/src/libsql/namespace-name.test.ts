import { expect, test } from "vitest";
import { checkNamespaceName } from "./namespace-name.ts";

test.each(["a", "a1", "kl-0", "a".repeat(63), "x-y-z"])("%s is a namespace name", (name) => {
  expect(checkNamespaceName(name)).toBe(name);
});

test.each([
  "",
  "-a",
  "a-",
  "A",
  "a.b",
  "a_b",
  "a/b",
  "..",
  "..%2f..%2fvictim",
  "a%2e",
  "a b",
  "a\n",
  "ä",
  "a".repeat(64),
])("%j never reaches the server", (name) => {
  expect(() => checkNamespaceName(name)).toThrow("A namespace name is");
});
