import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileStore, s3Store, type TestStore } from "./testing/stores.ts";
import { collect, content, failing, names } from "./testing/streams.ts";

const name = "arc_0123456789abcdefghjk";
const other = "arc_zyxwvtsrqpnmkjhgfedc";
const { signal } = new AbortController();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe.each([
  ["in a folder", fileStore],
  ["in a bucket", s3Store],
])("archives %s", (_where, start) => {
  let place: TestStore;
  beforeEach(async () => {
    place = await start();
  });
  afterEach(() => place.close());

  test.each([0, 1, 100_000, 8 * 1024 * 1024 + 5, 17 * 1024 * 1024])(
    "give back what was put, of %i bytes",
    async (bytes) => {
      const expected = await collect(content(bytes));
      const stored = await place.store.put(name, content(bytes), signal);
      expect(stored).toEqual({ bytes, sha256: sha256(expected) });
      expect(sha256(await collect(place.openAgain().get(name, signal)))).toBe(stored.sha256);
    },
  );

  test("are listed by name, and only while they are there", async () => {
    await place.store.put(name, content(10), signal);
    await place.store.put(other, content(10), signal);
    expect(await names(place.store.list(signal))).toEqual([name, other].sort());
    await place.store.remove(name, signal);
    expect(await names(place.store.list(signal))).toEqual([other]);
    await expect(collect(place.store.get(name, signal))).rejects.toMatchObject({ code: "not_found" });
  });

  test("are removed again without complaint", async () => {
    await place.store.remove(name, signal);
    await place.store.put(name, content(10), signal);
    await place.store.remove(name, signal);
    await expect(place.store.remove(name, signal)).resolves.toBeUndefined();
  });

  test.each([100, 9 * 1024 * 1024])(
    "leave nothing of a source that breaks after %i bytes, and pass on why",
    async (bytes) => {
      const put = place.store.put(name, failing(content(bytes)), signal);
      await expect(put).rejects.toThrow("the source broke");
      expect(await names(place.store.list(signal))).toEqual([]);
    },
  );

  test.each([100_000, 17 * 1024 * 1024])(
    "leave nothing of a put of %i bytes that is ended",
    async (bytes) => {
      const ending = new AbortController();
      async function* ended() {
        yield* content(bytes);
        ending.abort(new Error("enough"));
        yield Uint8Array.of(1);
        yield Uint8Array.of(1);
      }
      await expect(place.store.put(name, ended(), ending.signal)).rejects.toThrow("enough");
      expect(await names(place.store.list(signal))).toEqual([]);
    },
  );

  test("stop being read when the reader is ended", async () => {
    await place.store.put(name, content(1_000_000), signal);
    const ending = new AbortController();
    const read = async () => {
      for await (const _piece of place.store.get(name, ending.signal)) ending.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
  });

  test.each(["../outside", "arc_1", "", "arc_0123456789abcdefghjk/../x", ".arc_0123456789abcdefghjk"])(
    "are never called %j",
    async (wrong) => {
      expect(() => place.store.put(wrong, content(1), signal)).toThrow("by its id");
      expect(() => place.store.get(wrong, signal)).toThrow("by its id");
      expect(() => place.store.remove(wrong, signal)).toThrow("by its id");
    },
  );
});
