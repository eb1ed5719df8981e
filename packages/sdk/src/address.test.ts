import { expect, test } from "vitest";
import { parseAddress, routeUrl } from "./address.ts";
import { KeyloanError } from "./errors.ts";

test.each([
  "http://127.0.0.1:8787",
  "http://localhost:8787/",
  "http://[::1]:8787",
  "http://127.9.9.9",
  "https://keyloan.example.com/base",
])("%s is an address", (text) => {
  expect(parseAddress(text).href).toContain(new URL(text).host);
});

test.each([
  "http://keyloan.example.com",
  "http://10.0.0.1:8787",
  "http://localhost.example.com",
  "http://127.0.0.1.example.com",
  "http://0.0.0.0:8787",
])("%s would carry the token in the clear, and only goes when that is allowed", (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: "insecure_url" }));
  expect(parseAddress(text, true).href).toContain(new URL(text).host);
});

test.each([
  "",
  "keyloan.example.com",
  "ftp://127.0.0.1",
  "file:///etc/passwd",
  "http://user:secret@127.0.0.1",
  "https://keyloan.example.com/?token=x",
  "https://keyloan.example.com/#x",
])("%j is refused, and not repeated", (text) => {
  const refusal = (() => {
    try {
      return parseAddress(text, true);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(KeyloanError);
  expect(refusal).toMatchObject({ code: "invalid_url" });
  expect(JSON.stringify(refusal)).not.toContain("secret");
});

test("routes lie below the path of the address", () => {
  const base = parseAddress("https://example.com/keyloan/");
  const url = routeUrl(base, "/v1/builds", { limit: 2, state: undefined, cursor: "a b&c" });
  expect(url.href).toBe("https://example.com/keyloan/v1/builds?limit=2&cursor=a+b%26c");
});
