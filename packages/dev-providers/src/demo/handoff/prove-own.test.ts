import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { proveSealedAtRest } from "./prove-own.ts";

const secret = 'own "secret" + ÿ/value';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-at-rest-"));
  mkdirSync(join(folder, "deep"));
  writeFileSync(join(folder, "store.db"), Buffer.concat([Buffer.of(0, 255), Buffer.from("bld_known")]));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const search = () => proveSealedAtRest([folder], { OWN_SECRET: secret }, "bld_known");

test("files without the secret pass and are counted", () => {
  writeFileSync(join(folder, "deep", "log"), "own");
  expect(search()).toBe(2);
});

test.each([
  { form: "plain", text: secret },
  { form: "JSON", text: JSON.stringify(secret) },
  { form: "a URL's", text: encodeURIComponent(secret) },
  { form: "hex", text: Buffer.from(secret).toString("hex") },
  { form: "base64", text: Buffer.from(secret).toString("base64") },
  { form: "base64url", text: Buffer.from(secret).toString("base64url") },
])("a secret in its $form form is found in any depth, and named without its value", ({ text }) => {
  const file = join(folder, "deep", "store");
  writeFileSync(file, Buffer.concat([Buffer.of(0, 200), Buffer.from(`x${text}x`)]));
  expect(search).toThrow(`secrets stand in the clear: OWN_SECRET in ${file}`);
});

test("a search that does not see what is there fails", () => {
  writeFileSync(join(folder, "store.db"), "");
  expect(search).toThrow("the search does not find what is there");
});
