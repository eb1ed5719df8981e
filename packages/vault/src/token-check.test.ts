import { randomBytes } from "node:crypto";
import { newTokenBody } from "@keyloan/contract";
import { beforeAll, expect, test } from "vitest";
import {
  closeDataKey,
  createDataKey,
  createRootKey,
  createTokenCheck,
  openDataKey,
  parseKeyring,
  ready,
  rewrapDataKey,
} from "./index.ts";
import { newDataKey } from "./testing/samples.ts";

beforeAll(() => ready);

const body = newTokenBody("api", randomBytes);

test("a check is eight characters that depend on every character of the text", () => {
  const check = createTokenCheck(newDataKey("org_1"));
  expect(check(body)).toMatch(/^[A-Za-z0-9_-]{8}$/);
  expect(check(body)).toBe(check(body));
  const changed = [...body].map((character, index) => {
    const other = character === "A" ? "B" : "A";
    return body.slice(0, index) + other + body.slice(index + 1);
  });
  expect(changed.filter((text) => check(text) === check(body))).toEqual([]);
});

test("another data key makes another check", () => {
  expect(createTokenCheck(newDataKey("org_1"))(body)).not.toBe(createTokenCheck(newDataKey("org_1"))(body));
});

test("a check survives a root key rotation and the closing of its data key", () => {
  const old = createRootKey(randomBytes);
  const current = createRootKey(randomBytes);
  const { record, key } = createDataKey(parseKeyring(old.line), { id: "dek_f", ownerId: "org_1" });
  const check = createTokenCheck(key);
  closeDataKey(key);
  const moved = rewrapDataKey(parseKeyring(current.line, old.line), record);
  expect(createTokenCheck(openDataKey(parseKeyring(current.line), moved))(body)).toBe(check(body));
});
