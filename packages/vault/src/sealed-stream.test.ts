import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  closeDataKey,
  createDataKey,
  type DataKey,
  openDataKey,
  openStream,
  parseKeyring,
  ready,
  sealStream,
  streamChunkBytes,
  VaultError,
} from "./index.ts";
import { sealWithSalt } from "./sealed-stream.ts";
import { openStreamWithSodium } from "./testing/reference-stream.ts";
import { buildOwner, newDataKey, newKeyring, vaultCode } from "./testing/samples.ts";
import { collect, patternBytes, piecesOf } from "./testing/streams.ts";
import streamVectors from "./vectors/stream-v1.json" with { type: "json" };
import vectors from "./vectors/v1.json" with { type: "json" };

fc.configureGlobal({ seed: 20_261_120 });

const context = { purpose: "archive", ownerId: buildOwner, field: "arc_1" };
const tagBytes = 16;
const sealedChunk = streamChunkBytes + tagBytes;
let key: DataKey;
beforeAll(async () => {
  await ready;
  key = newDataKey();
});

const seal = (bytes: Uint8Array, pieceLength = 10_000) =>
  collect(sealStream(key, context, piecesOf(bytes, pieceLength)));
const open = (sealed: Uint8Array, pieceLength = 10_000, place = context, by = key) =>
  collect(openStream(by, place, piecesOf(sealed, pieceLength)));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof VaultError ? error.code : String(error)),
  );
const headerLength = (sealed: Uint8Array) => sealed.indexOf(0x0a) + 1 + 32;

describe("open gives what seal got", () => {
  test("for any bytes in pieces of any lengths", async () => {
    const length = fc.integer({ min: 1, max: 3 * streamChunkBytes });
    await fc.assert(
      fc.asyncProperty(length, length, length, async (size, sealPiece, openPiece) => {
        const bytes = patternBytes(size);
        expect((await open(await seal(bytes, sealPiece), openPiece)).equals(bytes)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test.each([0, 1, streamChunkBytes - 1, streamChunkBytes, streamChunkBytes + 1, 2 * streamChunkBytes])(
    "for %i bytes, and adds a tag for each chunk",
    async (size) => {
      const sealed = await seal(patternBytes(size));
      expect((await open(sealed)).equals(patternBytes(size))).toBe(true);
      const chunks = Math.max(1, Math.ceil(size / streamChunkBytes));
      expect(sealed.length).toBe(headerLength(sealed) + size + chunks * tagBytes);
    },
  );

  test("byte by byte", async () => {
    const bytes = patternBytes(streamChunkBytes + 7);
    expect((await open(await seal(bytes, 1), 1)).equals(bytes)).toBe(true);
  });

  test("and no two sealed streams of one content share a chunk", async () => {
    const [one, other] = [await seal(patternBytes(100)), await seal(patternBytes(100))];
    expect(one.subarray(headerLength(one)).equals(other.subarray(headerLength(other)))).toBe(false);
  });

  test("although the data key was closed once the stream was begun", async () => {
    const { record, key: own } = createDataKey(newKeyring(), { id: "dek_own", ownerId: buildOwner });
    const sealing = sealStream(own, context, piecesOf(patternBytes(10), 3));
    closeDataKey(own);
    expect((await collect(sealing)).toString("latin1")).toContain(record.id);
    expect(vaultCode(() => sealStream(own, context, piecesOf(patternBytes(10), 3)))).toBe("key_closed");
  });
});

describe("a stream of three chunks is refused", () => {
  const bytes = patternBytes(2 * streamChunkBytes + 100);
  const chunk = (sealed: Buffer, index: number) => {
    const start = headerLength(sealed) + index * sealedChunk;
    return sealed.subarray(start, start + sealedChunk);
  };
  const header = (sealed: Buffer) => sealed.subarray(0, headerLength(sealed));

  test.each<[string, (sealed: Buffer) => Buffer]>([
    ["cut at the first border", (sealed) => Buffer.concat([header(sealed), chunk(sealed, 0)])],
    ["cut at the second border", (sealed) => sealed.subarray(0, headerLength(sealed) + 2 * sealedChunk)],
    ["without its last byte", (sealed) => sealed.subarray(0, -1)],
    ["without any chunk", header],
    ["with a byte more", (sealed) => Buffer.concat([sealed, Buffer.of(0)])],
    ["with its last chunk twice", (sealed) => Buffer.concat([sealed, chunk(sealed, 2)])],
    ["with another stream's end", (sealed) => Buffer.concat([sealed, sealed])],
    [
      "with two chunks swapped",
      (sealed) => Buffer.concat([header(sealed), chunk(sealed, 1), chunk(sealed, 0), chunk(sealed, 2)]),
    ],
    [
      "without its first chunk",
      (sealed) => Buffer.concat([header(sealed), chunk(sealed, 1), chunk(sealed, 2)]),
    ],
    [
      "without its middle chunk",
      (sealed) => Buffer.concat([header(sealed), chunk(sealed, 0), chunk(sealed, 2)]),
    ],
  ])("%s", async (_what, change) => {
    expect(await codeOf(open(change(await seal(bytes))))).toBe("cannot_open");
  });

  test("with any one bit flipped", async () => {
    const sealed = await seal(bytes);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: sealed.length * 8 - 1 }), async (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await codeOf(open(changed))).toMatch(/^(cannot_open|malformed|wrong_data_key)$/);
      }),
      { numRuns: 60 },
    );
  });

  test("when its last chunk is one of another stream under the same key", async () => {
    const [one, other] = [await seal(bytes), await seal(bytes)];
    const mixed = Buffer.concat([one.subarray(0, headerLength(one) + 2 * sealedChunk), chunk(other, 2)]);
    expect(await codeOf(open(mixed))).toBe("cannot_open");
  });
});

describe("a whole stream opens only in its place", () => {
  test.each([
    ["another archive's id", { ...context, field: "arc_2" }],
    ["another purpose", { ...context, purpose: "download" }],
  ])("not under %s", async (_what, place) => {
    expect(await codeOf(open(await seal(patternBytes(10)), 100, place))).toBe("cannot_open");
  });

  test("not with the key of another build, whatever the header is made to say", async () => {
    const other = createDataKey(newKeyring(), { id: "dek_other", ownerId: buildOwner }).key;
    const sealed = await seal(patternBytes(10));
    expect(await codeOf(open(sealed, 100, context, other))).toBe("wrong_data_key");
    const renamed = Buffer.from(sealed.toString("latin1").replace(key.id, other.id), "latin1");
    expect(await codeOf(open(renamed, 100, context, other))).toBe("cannot_open");
    const same = newDataKey();
    expect(await codeOf(open(sealed, 100, context, same))).toBe("cannot_open");
  });

  test("not for another owner than the key's", () => {
    const place = { ...context, ownerId: "bld_other" };
    expect(vaultCode(() => sealStream(key, place, piecesOf(patternBytes(1), 1)))).toBe("wrong_owner");
    expect(vaultCode(() => openStream(key, place, piecesOf(patternBytes(1), 1)))).toBe("wrong_owner");
  });

  test.each([
    ["nothing", "", "malformed"],
    ["text without a line end", "x".repeat(500), "malformed"],
    ["another format", "age-encryption.org/v1\n", "malformed"],
    [
      "a newer version",
      `keyloan/stream/v2 dek_0123456789abcdefghjk\n${"x".repeat(100)}`,
      "unsupported_version",
    ],
    ["a header alone", "keyloan/stream/v1 dek_0123456789abcdefghjk\n", "malformed"],
  ])("not %s", async (_what, text, code) => {
    expect(await codeOf(open(Buffer.from(text)))).toBe(code);
  });
});

test("whoever stops reading stops the source", async () => {
  let stopped = false;
  async function* endless() {
    try {
      for (;;) yield patternBytes(streamChunkBytes);
    } finally {
      stopped = true;
    }
  }
  let seen = 0;
  for await (const part of sealStream(key, context, endless())) {
    seen += part.length;
    if (seen > 3 * streamChunkBytes) break;
  }
  expect(stopped).toBe(true);
});

test.each([
  ["a header that is wrong", "not a header\n"],
  ["another data key", `keyloan/stream/v1 dek_other\n${"x".repeat(100)}`],
])("%s stops the source too", async (_what, text) => {
  let stopped = false;
  async function* source() {
    try {
      yield Buffer.from(text);
      yield Buffer.from("more");
    } finally {
      stopped = true;
    }
  }
  await expect(collect(openStream(key, context, source()))).rejects.toBeInstanceOf(VaultError);
  expect(stopped).toBe(true);
});

describe.each(streamVectors.streams)("vector: $name", (vector) => {
  const { rootKey, dataKey } = vectors;
  const record = { id: dataKey.id, ownerId: dataKey.ownerId, kid: rootKey.id, wrapped: dataKey.wrapped };
  const place = { purpose: vector.purpose, ownerId: dataKey.ownerId, field: vector.field };
  const openedKey = () => openDataKey(parseKeyring(rootKey.line), record);
  const plain = patternBytes(vector.patternBytes);
  const sealAgain = () =>
    collect(sealWithSalt(openedKey(), place, piecesOf(plain, 1000), Buffer.from(vector.saltHex, "hex")));

  test("is made again with its salt", async () => {
    const sealed = await sealAgain();
    expect(createHash("sha256").update(sealed).digest("hex")).toBe(vector.sealedSha256);
    expect(sealed.subarray(-32).toString("hex")).toBe(vector.lastBytesHex);
  });

  test("opens, with the vault and with libsodium", async () => {
    const sealed = await sealAgain();
    expect((await collect(openStream(openedKey(), place, piecesOf(sealed, 999)))).equals(plain)).toBe(true);
    const bound = Buffer.from(vector.associatedData);
    const opened = openStreamWithSodium(sealed, bound, Buffer.from(dataKey.keyHex, "hex"));
    expect(opened.equals(plain)).toBe(true);
  });
});
