import { expect, test } from "vitest";
import { createKnownCallers } from "./known-callers.ts";

test("none of more ended credentials than anybody uses at once is forgotten before its turn comes again", () => {
  const callers = createKnownCallers();
  const hashes = Array.from({ length: 50_000 }, (_, index) => `hash-${index}`);
  for (const hash of hashes) callers.end({ hash, isProven: true });
  expect(hashes.filter((hash) => !callers.hasEnded(hash))).toEqual([]);
});

test("what anybody can make up is not remembered", () => {
  const callers = createKnownCallers();
  callers.end({ hash: "made-up", isProven: false });
  expect(callers.hasEnded("made-up")).toBe(false);
});
