import { secretValues } from "@keyloan/contract";
import { beforeAll, describe, expect, test } from "vitest";
import { wrapDataKey } from "./data-key.ts";
import { sealEnvelope } from "./envelope.ts";
import {
  createFingerprinter,
  openBytes,
  openDataKey,
  openValue,
  openValues,
  parseKeyring,
  ready,
  type SealContext,
} from "./index.ts";
import { openWithOpenSsl } from "./testing/reference-aead.ts";
import vectors from "./vectors/v1.json" with { type: "json" };

beforeAll(() => ready);

const { rootKey, dataKey, envelopes, fingerprints } = vectors;
const record = { id: dataKey.id, ownerId: dataKey.ownerId, kid: rootKey.id, wrapped: dataKey.wrapped };
const fromHex = (hex: string) => Buffer.from(hex, "hex");
const keyring = () => parseKeyring(rootKey.line);
const openedKey = () => openDataKey(keyring(), record);

const openers = {
  text: (context: SealContext, envelope: string) => openValue(openedKey(), context, envelope).reveal(),
  bytes: (context: SealContext, envelope: string) => openBytes(openedKey(), context, envelope),
  values: (context: SealContext, envelope: string) =>
    JSON.stringify(
      Object.entries(openValues(openedKey(), context, envelope)).flatMap(([name, value]) => [
        name,
        value.reveal(),
      ]),
    ),
};

function kindOf(text: string): keyof typeof openers {
  if (text === "text" || text === "bytes" || text === "values") return text;
  throw new Error(`unknown kind ${text}`);
}

test("the root key line gives the id of the vector", () => {
  expect(keyring().currentKeyId).toBe(rootKey.id);
});

test("wrapping the vector's data key with its nonce gives its wrapped text again", () => {
  const nonce = fromHex(dataKey.nonceHex);
  expect(wrapDataKey(keyring(), dataKey, fromHex(dataKey.keyHex), { version: "v1", nonce })).toEqual(record);
});

test("the wrapped data key opens without libsodium", () => {
  const sealed = Buffer.from(dataKey.wrapped.slice(3), "base64url");
  const raw = openWithOpenSsl(sealed, Buffer.from(dataKey.associatedData), fromHex(rootKey.keyHex));
  expect(raw.toString("hex")).toBe(dataKey.keyHex);
});

describe.each(envelopes)("$name", (vector) => {
  const context = { purpose: vector.purpose, ownerId: dataKey.ownerId, field: vector.field };
  const kind = kindOf(vector.kind);

  test("opens", () => {
    const opened = openers[kind](context, vector.envelope);
    expect(Buffer.from(opened).toString("hex")).toBe(vector.plaintextHex);
  });

  test("is made again with its nonce", () => {
    const plaintext = fromHex(vector.plaintextHex);
    expect(sealEnvelope(openedKey(), kind, context, plaintext, fromHex(vector.nonceHex))).toBe(
      vector.envelope,
    );
  });

  test("opens without libsodium", () => {
    const sealed = Buffer.from(vector.envelope.split(".")[2] ?? "", "base64url");
    const opened = openWithOpenSsl(sealed, Buffer.from(vector.associatedData), fromHex(dataKey.keyHex));
    expect(opened.toString("hex")).toBe(vector.plaintextHex);
  });
});

test.each(fingerprints)("the fingerprint of $values stays what it was", ({ values, fingerprint }) => {
  const known: Readonly<Record<string, string>> = { ...values };
  expect(createFingerprinter(openedKey()).ofValues(secretValues(known))).toBe(fingerprint);
});
