import { describe, expect, test } from "vitest";
import { toHttpAddress } from "../kit/libsql/address.ts";
import { parseExpiration } from "./emulator-api.ts";
import { toExpiration } from "./token-expiration.ts";

const minute = 60_000;

describe("a token's life", () => {
  test.each([
    [1, "1m"],
    [minute, "1m"],
    [minute + 1, "2m"],
    [60 * minute, "1h"],
    [24 * 60 * minute, "1d"],
    [7 * 24 * 60 * minute, "7d"],
    [(26 * 60 + 3) * minute, "1d2h3m"],
  ])("of %i ms is %s: whole minutes, never shorter and never without end", (lifeMs, text) => {
    expect(toExpiration(1_000_000 + lifeMs, 1_000_000)).toBe(text);
    expect(parseExpiration(text)).toBeGreaterThanOrEqual(lifeMs);
    expect(parseExpiration(text)).toBeLessThan(lifeMs + minute);
  });

  test.each([0, -1, -minute, Number.NaN])("of %d ms is refused", (lifeMs) => {
    expect(() => toExpiration(1_000_000 + lifeMs, 1_000_000)).toThrow("the lease has ended");
  });

  test.each(["", "1", "m", "1x", "-1m", "1.5h", "1m ", "never1m"])("%j is none for the stand-in", (text) => {
    expect(parseExpiration(text)).toBeUndefined();
  });

  test("is read in all its units by the stand-in", () => {
    expect(parseExpiration("2w1d3h30m5s")).toBe((15 * 86_400 + 3 * 3600 + 30 * 60 + 5) * 1000);
    expect(parseExpiration("never")).toBe("never");
  });
});

describe("a database URL", () => {
  test.each([
    ["libsql://a-acme.turso.io", "https://a-acme.turso.io"],
    ["libsql://a-acme.aws-us-east-1.turso.io/", "https://a-acme.aws-us-east-1.turso.io"],
    ["https://a.example:8443", "https://a.example:8443"],
    ["wss://a.example", "https://a.example"],
    ["ws://127.0.0.1:20001", "http://127.0.0.1:20001"],
    ["http://127.0.0.1:20001", "http://127.0.0.1:20001"],
    ["libsql://127.0.0.1:20001?tls=0", "http://127.0.0.1:20001"],
  ])("%s is reached at %s", (url, address) => {
    expect(toHttpAddress(url)).toBe(address);
  });

  test.each([
    "",
    "a-acme.turso.io",
    "file:/etc/passwd",
    "file:local.db",
    ":memory:",
    "postgres://a.example/b",
    "libsql://user:pass@a.example",
    "libsql://a.example/path",
    "libsql://a.example#x",
  ])("%j is none", (url) => {
    expect(toHttpAddress(url)).toBeUndefined();
  });
});
