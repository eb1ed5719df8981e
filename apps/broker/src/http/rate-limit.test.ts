import { describe, expect, it } from "vitest";
import { createRateLimiter } from "./rate-limit.ts";

const refusedOf = (limiter: ReturnType<typeof createRateLimiter>, name: string, times: number, nowMs = 0) =>
  Array.from({ length: times }, () => limiter.take(name, nowMs)).filter(({ waitSeconds }) => waitSeconds > 0);

describe("a bucket", () => {
  it("lets a burst pass, then the rate, and tells how long to wait", () => {
    const limiter = createRateLimiter(2, 4);
    expect(refusedOf(limiter, "a", 5)).toEqual([{ waitSeconds: 1, isNews: true }]);
    expect(refusedOf(limiter, "a", 3, 1_000)).toHaveLength(1);
  });

  it("tells the log of its first refusal in a minute alone", () => {
    const limiter = createRateLimiter(0.001, 1);
    const news = (nowMs: number) => refusedOf(limiter, "a", 3, nowMs).filter(({ isNews }) => isNews).length;
    expect([news(0), news(30_000), news(60_000)]).toEqual([1, 0, 1]);
  });

  it("of a rate below one a second lets one pass at once", () => {
    expect(createRateLimiter(0.1).take("a", 0).waitSeconds).toBe(0);
  });

  it("that several share has so many times the rate", () => {
    const limiter = createRateLimiter(1, 2);
    const passed = Array.from({ length: 10 }, () => limiter.take("a", 0, 4)).filter(
      ({ waitSeconds }) => waitSeconds === 0,
    );
    expect(passed).toHaveLength(8);
  });

  it("of a clock that was set back fills no faster and refuses no longer", () => {
    const limiter = createRateLimiter(1, 2);
    expect(refusedOf(limiter, "a", 3, 100_000)).toHaveLength(1);
    expect(refusedOf(limiter, "a", 1, 0)).toHaveLength(1);
    expect(refusedOf(limiter, "a", 1, 1_000)).toHaveLength(0);
  });
});

describe("the memory of buckets", () => {
  it("is bounded while names come without end, and refuses nobody for it", () => {
    const limiter = createRateLimiter(1, 2);
    const waits = Array.from({ length: 60_000 }, (_, index) => limiter.take(`name ${index}`, 0).waitSeconds);
    expect(Math.max(...waits)).toBe(0);
    expect(limiter.size()).toBeLessThanOrEqual(50_000);
  });

  it("keeps those who are in use while others are rotated", () => {
    const limiter = createRateLimiter(1, 2);
    refusedOf(limiter, "busy", 3);
    for (let index = 0; index < 60_000; index += 1) {
      limiter.take(`name ${index}`, 0);
      if (index % 1_000 === 0) limiter.take("busy", 0);
    }
    expect(limiter.take("busy", 0).waitSeconds).toBeGreaterThan(0);
  });

  it("is given back once buckets have filled again", () => {
    const limiter = createRateLimiter(1, 2);
    for (let index = 0; index < 1_000; index += 1) limiter.take(`name ${index}`, 0);
    limiter.take("later", 3_000);
    expect(limiter.size()).toBe(1);
  });
});
