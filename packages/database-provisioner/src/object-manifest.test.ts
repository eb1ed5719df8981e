import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { listOf, manifestOf } from "./object-manifest.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const keysOf = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => `${(index * 7_919) % count}${index % 3 === 0 ? "\u{1F600}" : "\uFF5E"}`,
  );

test.each([0, 1, 2, 1_999, 2_000, 2_001, 9_001])(
  "the hashes of %s objects are over their lines in the order of the bytes of their keys",
  async (count) => {
    const keys = keysOf(count);
    const objects = new Map(keys.map((key, index) => [key, { bytes: index, sha256: `hash ${index}` }]));
    const ordered = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const lines = (line: (key: string) => readonly unknown[]) =>
      ordered.map((key) => `${JSON.stringify(line(key))}\n`).join("");
    const list = {
      objects: count,
      bytes: keys.reduce((sum, _, index) => sum + index, 0),
      listSha256: sha256(lines((key) => [key, objects.get(key)?.bytes])),
    };
    expect(await listOf(objects)).toEqual(list);
    const manifestSha256 = sha256(lines((key) => [key, objects.get(key)?.bytes, objects.get(key)?.sha256]));
    expect(await manifestOf(objects)).toEqual({ ...list, manifestSha256 });
  },
);

test("others have their turns while very many are put in order", async () => {
  let turns = 0;
  let done = false;
  const others = () => {
    turns++;
    if (!done) setImmediate(others);
  };
  others();
  await listOf(new Map(keysOf(20_000).map((key) => [key, { bytes: 1 }])));
  done = true;
  // Ten slices are read, sorted, merged three times and more, and hashed.
  expect(turns).toBeGreaterThan(40);
});
