import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openArchiveStore } from "./index.ts";
import { fileStore, type TestStore } from "./testing/stores.ts";
import { collect, content, names } from "./testing/streams.ts";

const name = "arc_0123456789abcdefghjk";
const { signal } = new AbortController();

let place: TestStore;
beforeEach(async () => {
  place = await fileStore();
});
afterEach(() => place.close());

test("an archive is its owner's alone, in a folder that is too", async () => {
  await mkdir(place.directory, { mode: 0o755 });
  await place.store.put(name, content(10), signal);
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect([await mode(place.directory), await mode(join(place.directory, name))]).toEqual(["700", "600"]);
});

test("what a crash left half-written is told of by its name, and goes with it", async () => {
  await mkdir(place.directory, { recursive: true });
  await writeFile(join(place.directory, `.${name}.0123456789ab.part`), "half");
  await writeFile(join(place.directory, "somebody-elses"), "file");
  expect(await names(place.store.list(signal))).toEqual([name]);
  await place.store.remove(name, signal);
  expect(await readdir(place.directory)).toEqual(["somebody-elses"]);
});

test("a folder that is not there yet holds nothing", async () => {
  expect(await names(place.store.list(signal))).toEqual([]);
  await expect(collect(place.store.get(name, signal))).rejects.toMatchObject({ code: "not_found" });
});

test("a folder that is a file is told by its code, with what to do", async () => {
  await writeFile(place.directory, "");
  await expect(place.store.put(name, content(1), signal)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^the archive could not be written \(E[A-Z]+\)$/),
    remedy: expect.stringContaining("folder of archives"),
  });
  await expect(names(place.store.list(signal))).rejects.toMatchObject({ code: "unavailable" });
});

test.skipIf(process.getuid?.() === 0)("a folder that may not be read is told", async () => {
  await place.store.put(name, content(10), signal);
  await chmod(place.directory, 0o000);
  await expect(collect(place.store.get(name, signal))).rejects.toMatchObject({ code: "unavailable" });
  await chmod(place.directory, 0o700);
});

/** A disk of one megabyte; undefined where none may be made, which needs root. */
async function smallDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-small-disk-"));
  const made = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
  if (made.status === 0) return folder;
  await rm(folder, { recursive: true });
  return undefined;
}
const disk = await smallDisk();

describe.skipIf(disk === undefined)("a disk that is full", () => {
  afterEach(async () => {
    spawnSync("umount", [disk ?? ""]);
    await rm(disk ?? "", { recursive: true, force: true });
  });

  test("is told as that, and nothing is left on it", async () => {
    const directory = join(disk ?? "", "archives");
    const store = openArchiveStore({ kind: "file", directory });
    await expect(store.put(name, content(2 * 1024 * 1024), signal)).rejects.toMatchObject({
      code: "unavailable",
      message: "the archive could not be written (ENOSPC)",
      remedy: expect.stringContaining("Free space"),
    });
    expect(await readdir(directory)).toEqual([]);
    await expect(store.put(name, content(1000), signal)).resolves.toMatchObject({ bytes: 1000 });
  });
});
