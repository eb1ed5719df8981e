import { expect, test } from "vitest";
import { createHeldFiles } from "./held-files.ts";

const refused = expect.objectContaining({
  code: "rate_limited",
  retryAfterSeconds: 30,
  remedy: expect.any(String),
});

test.each([
  ["many", { filesMax: 2, bytesMax: 1_000 }],
  ["large together", { filesMax: 10, bytesMax: 20 }],
])("no more files are made while those that are held are too %s", (_what, limits) => {
  const held = createHeldFiles(limits);
  held.refuseMore();
  const release = held.hold(10);
  held.refuseMore();
  held.hold(10);
  expect(held.refuseMore).toThrow(refused);
  release();
  held.refuseMore();
});
