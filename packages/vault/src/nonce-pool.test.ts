import { expect, test } from "vitest";
import { nextNonce } from "./nonce-pool.ts";

test("nonces are 24 bytes and differ across refills of the pool", () => {
  const nonces = Array.from({ length: 1000 }, () => Buffer.from(nextNonce()).toString("hex"));
  expect(new Set(nonces).size).toBe(1000);
  expect(nonces.filter((nonce) => nonce.length !== 48)).toEqual([]);
});
