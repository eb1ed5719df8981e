import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountSmallDisk } from "./small-disk.ts";
import { createStoreWriter } from "./store-writer.ts";

/** Something that keeps a store from being written, which a test begins and ends. */
export type StoreTrouble = {
  /** Where the broker keeps its data. */
  readonly folder: string;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const storeIn = (folder: string) => join(folder, "keyloan.db");
const newFolder = () => mkdtemp(join(tmpdir(), "keyloan-troubled-"));

/** A disk without space; undefined where none may be mounted, which takes Linux and root. */
export async function fullDisk(): Promise<StoreTrouble | undefined> {
  const disk = await mountSmallDisk(16);
  if (disk === undefined) return undefined;
  const begin = async () => {
    // A log that was copied into the file is written from its start again, for which no space is needed.
    const store = await createStoreWriter(disk.folder);
    while ((await store.rows("PRAGMA wal_checkpoint(TRUNCATE)"))[0]?.busy !== 0) {}
    await disk.fill();
  };
  return { folder: disk.folder, begin, end: disk.free, close: disk.unmount };
}

/** Another process that holds the write lock. */
export async function heldLock(): Promise<StoreTrouble> {
  const folder = await newFolder();
  let end = async () => {};
  return {
    folder,
    begin: async () => {
      end = await (await createStoreWriter(folder)).hold();
    },
    end: () => end(),
    close: () => rm(folder, { recursive: true }),
  };
}

/**
 * Files that may not be written any more, by whoever has them open either; undefined where that cannot be said,
 * which takes Linux, root and a file system with attributes. A mode would not stop root.
 */
export async function readOnlyFiles(): Promise<StoreTrouble | undefined> {
  const folder = await newFolder();
  const change = (flag: "+i" | "-i", files: readonly string[]) =>
    spawnSync("chattr", [flag, ...files]).status === 0;
  const close = () => rm(folder, { recursive: true });
  const probe = join(folder, "probe");
  await writeFile(probe, "");
  if (!change("+i", [probe]) || !change("-i", [probe])) {
    await close();
    return undefined;
  }
  const files = () => [storeIn(folder), `${storeIn(folder)}-wal`].filter((file) => existsSync(file));
  return {
    folder,
    begin: async () => {
      if (!change("+i", files())) throw new Error("the files could not be made read-only");
    },
    end: async () => {
      change("-i", files());
    },
    close,
  };
}
