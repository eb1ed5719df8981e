import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { hasLineOfItsOwn } from "./lines-of-their-own.ts";

test.each([
  "a\nAWS_SECRET_ACCESS_KEY",
  "a\n  HOME  \nb",
  "a\n_x",
  "a\nhttp_proxy",
  "-----BEGIN X-----\na\n-----END X-----\nPATH",
])("a line that is the name of a variable alone takes it from where the file is read: %j", (text) => {
  expect(hasLineOfItsOwn(text)).toBe(true);
});

test("a name that is the whole value, a word in a text and the lines of keys are none", () => {
  for (const text of ["HOME", "HOME\nsweet home", "one\ntwo\nthree"])
    expect(hasLineOfItsOwn(text)).toBe(false);
  const end = "-----BEGIN PRIVATE KEY-----\nABCD\nQQQQ\nX1Y2\n-----END PRIVATE KEY-----\n";
  expect(hasLineOfItsOwn(end)).toBe(false);
  for (let made = 0; made < 20; made++) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(hasLineOfItsOwn(String(privateKey.export({ type: "pkcs8", format: "pem" })))).toBe(false);
  }
});
