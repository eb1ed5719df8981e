import { randomBytes } from "node:crypto";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { movesBytesMin, streamFile } from "./stream-file.ts";

const content = randomBytes(3 * movesBytesMin + 5);
const poll = { timeout: 10_000, interval: 5 };
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-stream-"));
  path = join(folder, "file");
  await writeFile(path, content);
});
afterAll(() => rm(folder, { recursive: true }));

/** A stream of the file, and a clock whose time passes when the test says so. */
async function openStream() {
  const handle = await open(path, "r");
  let wake = () => {};
  let closed = 0;
  const sleep = (_ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  const stream = streamFile({ handle, bytes: content.length }, sleep, () => {
    closed++;
  });
  const reader = stream.getReader();
  const read = async (bytes: number) => {
    let seen = 0;
    while (seen < bytes) seen += (await reader.read()).value?.length ?? Number.POSITIVE_INFINITY;
  };
  const pass = async () => {
    wake();
    await new Promise(setImmediate);
  };
  return { reader, read, pass, closed: () => closed, isOpen: () => handle.fd !== -1 };
}

test("a file is given whole, and closed at its end", async () => {
  const { reader, closed, isOpen } = await openStream();
  const chunks: Uint8Array[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
  expect([closed(), isOpen()]).toEqual([1, false]);
});

test("a file that nobody reads is closed, and its stream ends with an error", async () => {
  const { reader, pass, closed, isOpen } = await openStream();
  await pass();
  await expect(reader.read()).rejects.toThrow("was not read");
  await expect.poll(() => [closed(), isOpen()], poll).toEqual([1, false]);
});

test("a file that moves stays open, and one that only trickles is closed", async () => {
  const { read, reader, pass, closed } = await openStream();
  await read(movesBytesMin);
  await pass();
  await read(movesBytesMin);
  await pass();
  expect(closed()).toBe(0);
  await read(1);
  await pass();
  await expect(reader.read()).rejects.toThrow("was not read");
  await expect.poll(closed, poll).toBe(1);
});

test("a file whose reader leaves is closed", async () => {
  const { reader, read, pass, closed, isOpen } = await openStream();
  await read(1);
  await reader.cancel();
  expect([closed(), isOpen()]).toEqual([1, false]);
  await pass();
  expect(closed()).toBe(1);
});
