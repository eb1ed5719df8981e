import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { Secret } from "@keyloan/contract";
import { beforeAll, expect, test } from "vitest";
import { createRootKey, KeyringError, parseKeyring, ready } from "./index.ts";

beforeAll(() => ready);

const keyText = () => randomBytes(32).toString("base64url");
const first = keyText();
const second = keyText();

function keyringError(...texts: string[]): KeyringError {
  try {
    parseKeyring(...texts);
  } catch (error) {
    if (error instanceof KeyringError) return error;
    throw error;
  }
  throw new Error("the keyring was accepted");
}

test("the first key of the first text is current and the others are old", () => {
  const keyring = parseKeyring(Secret.of(`new:${first}`), Secret.of(`old:${second}\nolder:${keyText()}`));
  expect(keyring.currentKeyId).toBe("new");
  expect(keyring.keyIds).toEqual(["new", "old", "older"]);
});

test.each([
  [
    "comments, blank lines and Windows line ends",
    `# keys\r\n\r\n  a:${first}  # current\r\nb : ${second}\r\n`,
  ],
  ["a byte order mark", `\uFEFFa:${first}\nb:${second}`],
  ["commas, for a variable of one line", `a:${first}, b:${second},`],
])("%s are read", (_what, text) => {
  expect(parseKeyring(text).keyIds).toEqual(["a", "b"]);
});

test("a bare key gets the id that `createRootKey` gives it", () => {
  const { keyId, line } = createRootKey(randomBytes);
  expect(line.reveal()).toMatch(/^rk-[0-9a-f]{16}:[A-Za-z0-9_-]{43}$/);
  expect(parseKeyring(line).currentKeyId).toBe(keyId);
  expect(parseKeyring(line.reveal().split(":")[1] ?? "").currentKeyId).toBe(keyId);
});

test.each([
  ["nothing", "missing", ""],
  ["comments only", "missing", "# none yet\n\n"],
  ["31 bytes", "wrong_length", randomBytes(31).toString("base64url")],
  ["33 bytes", "wrong_length", randomBytes(33).toString("base64url")],
  ["an id and no key", "wrong_length", "main:"],
  ["padding", "malformed_key", `${first}=`],
  ["standard base64 letters", "malformed_key", `${"A".repeat(41)}+/`],
  ["unused bits set in the last letter", "malformed_key", `${"A".repeat(42)}B`],
  ["a space inside", "malformed_key", `${first.slice(0, 20)} ${first.slice(20)}`],
  ["a hexadecimal key", "wrong_length", randomBytes(32).toString("hex")],
  ["a placeholder of one byte", "weak_key", Buffer.alloc(32, 7).toString("base64url")],
  ["an empty id", "malformed_id", `:${first}`],
  ["an id with a path in it", "malformed_id", `../main:${first}`],
  ["a key in the place of the id", "malformed_id", `${first}:${second}`],
  ["two colons", "malformed_key", `a:b:${first}`],
  ["one id twice", "duplicate_id", `a:${first}\na:${second}`],
  ["one key under two ids", "duplicate_key", `a:${first}\nb:${first}`],
  ["one key with and without an id", "duplicate_key", `a:${first}\n${first}`],
])("%s is refused as %s with the way to make a key and without the key", (_what, code, text) => {
  const error = keyringError(text);
  expect(error.code).toBe(code);
  expect(error.message).toContain("keyloan root-key create");
  const printed = inspect(error, { depth: null });
  const keys = text.split(/[\s:=]+/).filter((part) => part.length > 12);
  expect(keys.filter((key) => printed.includes(key))).toEqual([]);
});

test("an id that is the derived id of another key is refused", () => {
  const { keyId, line } = createRootKey(randomBytes);
  expect(keyringError(line.reveal(), `${keyId}:${second}`).code).toBe("duplicate_id");
});

test("the error tells the line", () => {
  expect(keyringError(`# keys\na:${first}\nb:short`).line).toBe(3);
});

test("the same key in the configured text and in the key file is refused", () => {
  expect(keyringError(`a:${first}`, `b:${first}`).code).toBe("duplicate_key");
});

test("a keyring prints no key", () => {
  const printed = `${inspect(parseKeyring(`a:${first}`), { depth: null, showHidden: true })}${JSON.stringify(parseKeyring(`a:${first}`))}`;
  expect(printed).not.toContain(first);
  expect(printed).toContain("a");
});
