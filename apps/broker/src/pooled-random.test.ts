import { describe, expect, test } from "vitest";
import { createPooledRandom } from "./pooled-random.ts";

describe("pooled randomness", () => {
  test("hands out no byte twice, over refills and for every size", () => {
    const random = createPooledRandom();
    const sizes = [2, 20, 24, 32, 1024, 1025, 9000];
    const seen = Array.from({ length: 2000 }, (_, index) => random(sizes[index % sizes.length] ?? 20));
    expect(seen.every((bytes, index) => bytes.length === sizes[index % sizes.length])).toBe(true);
    const long = seen.filter(({ length }) => length >= 20).map((bytes) => Buffer.from(bytes).toString("hex"));
    expect(new Set(long).size).toBe(long.length);
  });

  test("gives bytes that later calls do not change", () => {
    const random = createPooledRandom();
    const first = random(20);
    const copy = Uint8Array.from(first);
    for (let call = 0; call < 1000; call++) random(20);
    expect(first).toEqual(copy);
  });
});
