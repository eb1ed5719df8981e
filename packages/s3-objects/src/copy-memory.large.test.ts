import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { revealValues } from "@keyloan/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestBucket, type TestBucket } from "./testing/test-bucket.ts";

const mebibyte = 1024 * 1024;
const script = fileURLToPath(new URL("testing/copy-in-child.ts", import.meta.url));

let source: TestBucket;
let target: TestBucket;
beforeAll(async () => {
  [source, target] = await Promise.all([startTestBucket(), startTestBucket()]);
});
afterAll(() => Promise.all([source.close(), target.close()]));

async function copyInChild(key: string) {
  const [from, to] = [revealValues(source.values), revealValues(target.values)];
  const given = JSON.stringify({ from, to, key });
  const { stdout } = await promisify(execFile)(process.execPath, [script, given]);
  return JSON.parse(stdout) as { bytes: number; sha256: string; heldBytes: number };
}

test("an object of 200 MB takes no more memory than the parts in hand", { timeout: 120_000 }, async () => {
  const large = randomBytes(200_000_000);
  await source.put("large", large);
  const { heldBytes, ...copied } = await copyInChild("large");
  expect(copied).toEqual({
    bytes: large.length,
    sha256: createHash("sha256").update(large).digest("hex"),
  });
  // The process itself, two parts of 8 MiB, the one that fetch sends once more, and pieces of 4 MiB: some 70 MiB, and
  // what a busy machine has not released yet.
  expect(heldBytes).toBeLessThan(128 * mebibyte);
});
