import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { Secret } from "@keyloan/contract";
import { beforeAll, expect, test } from "vitest";
import {
  closeDataKey,
  createDataKey,
  createRootKey,
  openDataKey,
  openValue,
  parseKeyring,
  promiseState,
  ready,
  rewrapDataKey,
  sealValue,
} from "./index.ts";
import { buildOwner, newKeyring, vaultCode } from "./testing/samples.ts";

beforeAll(() => ready);

const identity = { id: "dek_0123456789abcdefghjk", ownerId: buildOwner };
const context = { purpose: "lease-env", ownerId: buildOwner, field: "lse_1" };

test("a stored data key opens what it sealed when it was new", () => {
  const keyring = newKeyring();
  const { record, key } = createDataKey(keyring, identity);
  const envelope = sealValue(key, context, Secret.of("value"));
  expect(openValue(openDataKey(keyring, record), context, envelope).reveal()).toBe("value");
  expect(record).toEqual({ ...identity, kid: keyring.currentKeyId, wrapped: expect.stringMatching(/^v1\./) });
});

test.each([
  ["owner", { ownerId: "bld_00000000000000000000" }, "cannot_open"],
  ["data key id", { id: "dek_00000000000000000000" }, "cannot_open"],
  ["root key", { kid: "other" }, "unknown_root_key"],
  ["version", { wrapped: `v3.${"A".repeat(96)}` }, "unsupported_version"],
  ["text", { wrapped: "" }, "malformed"],
  ["length", { wrapped: "v1.AAAA" }, "malformed"],
])("a record moved to another %s does not open", (_what, change, code) => {
  const keyring = newKeyring();
  const { record } = createDataKey(keyring, identity);
  expect(vaultCode(() => openDataKey(keyring, { ...record, ...change }))).toBe(code);
});

test("a record under one root key does not open under another that took its id", () => {
  const key = () => randomBytes(32).toString("base64url");
  const { record } = createDataKey(parseKeyring(`main:${key()}`), identity);
  expect(vaultCode(() => openDataKey(parseKeyring(`main:${key()}`), record))).toBe("cannot_open");
});

test("no flipped bit of a wrapped key opens", () => {
  const keyring = newKeyring();
  const { record } = createDataKey(keyring, identity);
  const opened = flippedTexts(record.wrapped).filter(
    (wrapped) => vaultCode(() => openDataKey(keyring, { ...record, wrapped })) === undefined,
  );
  expect(opened).toEqual([]);
});

test("re-wrapping moves a data key to the current root key and leaves its values as they are", () => {
  const old = createRootKey(randomBytes);
  const current = createRootKey(randomBytes);
  const { record, key } = createDataKey(parseKeyring(old.line), identity);
  const envelope = sealValue(key, context, Secret.of("value"));

  const moved = rewrapDataKey(parseKeyring(current.line, old.line), record);

  expect(moved.kid).toBe(current.keyId);
  const withoutOld = parseKeyring(current.line);
  expect(openValue(openDataKey(withoutOld, moved), context, envelope).reveal()).toBe("value");
  expect(vaultCode(() => openDataKey(withoutOld, record))).toBe("unknown_root_key");
});

test("re-wrapping a record of the current root key gives it back, proven to open", () => {
  const keyring = newKeyring();
  const { record } = createDataKey(keyring, identity);
  expect(rewrapDataKey(keyring, record)).toBe(record);
  const altered = { ...record, ownerId: "bld_00000000000000000000" };
  expect(vaultCode(() => rewrapDataKey(keyring, altered))).toBe("cannot_open");
});

test("a root key that gets a name later still opens what it wrapped without one", () => {
  const bare = randomBytes(32).toString("base64url");
  const { record } = createDataKey(parseKeyring(bare), identity);
  expect(openDataKey(parseKeyring(`main:${bare}`), record).id).toBe(identity.id);
});

test("a promise of state is kept by a re-wrap, and the key is the same", () => {
  const old = createRootKey(randomBytes);
  const current = createRootKey(randomBytes);
  const { record, key } = createDataKey(parseKeyring(old.line), identity);
  const envelope = sealValue(key, context, Secret.of("value"));
  const promised = promiseState(parseKeyring(old.line), record);
  const moved = rewrapDataKey(parseKeyring(current.line, old.line), promised);
  const opened = openDataKey(parseKeyring(current.line), moved);
  expect([key.promisesState, opened.promisesState]).toEqual([false, true]);
  expect(openValue(opened, context, envelope).reveal()).toBe("value");
  expect(createDataKey(newKeyring(), identity, { promisesState: true }).key.promisesState).toBe(true);
});

test.each([
  ["taken away", true, /^v2/, "v1"],
  ["added", false, /^v1/, "v2"],
] as const)("a promise that was %s without the root key does not open", (_what, promisesState, from, to) => {
  const keyring = newKeyring();
  const { record } = createDataKey(keyring, identity, { promisesState });
  const changed = { ...record, wrapped: record.wrapped.replace(from, to) };
  expect(vaultCode(() => openDataKey(keyring, changed))).toBe("cannot_open");
});

test.each([
  ["empty", ""],
  ["with a dot", "dek.1"],
  ["too long", "d".repeat(65)],
])("a data key id %s is refused", (_what, id) => {
  expect(vaultCode(() => createDataKey(newKeyring(), { id, ownerId: buildOwner }))).toBe("bad_context");
});

test("a closed data key seals and opens nothing, and another handle of the same key still does", () => {
  const keyring = newKeyring();
  const { record, key } = createDataKey(keyring, identity);
  const other = openDataKey(keyring, record);
  const envelope = sealValue(key, context, Secret.of("value"));
  closeDataKey(key);
  expect(vaultCode(() => sealValue(key, context, Secret.of("value")))).toBe("key_closed");
  expect(vaultCode(() => openValue(key, context, envelope))).toBe("key_closed");
  expect(openValue(other, context, envelope).reveal()).toBe("value");
});

test("two data keys of one owner are different keys", () => {
  const keyring = newKeyring();
  const [one, two] = [createDataKey(keyring, identity), createDataKey(keyring, identity)];
  const envelope = sealValue(one.key, context, Secret.of("value"));
  expect(vaultCode(() => openValue(two.key, context, envelope))).toBe("cannot_open");
});

test("a data key prints its id and owner and no byte of the key", () => {
  const printed = inspect(createDataKey(newKeyring(), identity).key, { depth: null, showHidden: true });
  expect(printed).toContain(identity.id);
  expect(printed).not.toMatch(/Uint8Array|Buffer/);
});

/** Every text that differs from the given one in one bit of one character. */
function flippedTexts(text: string): string[] {
  return Array.from({ length: text.length * 7 }, (_, position) => {
    const index = Math.floor(position / 7);
    const flipped = String.fromCharCode(text.charCodeAt(index) ^ (1 << (position % 7)));
    return text.slice(0, index) + flipped + text.slice(index + 1);
  });
}
