import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "@keyloan/store";

let emptyStore: Promise<Buffer> | undefined;

/** Migrating a store takes longer than many a test: it is done once in a process, and every broker starts on a copy. */
export async function copyEmptyStore(dataDirectory: string): Promise<void> {
  emptyStore ??= readEmptyStore();
  await mkdir(dataDirectory, { mode: 0o700 });
  await writeFile(join(dataDirectory, "keyloan.db"), await emptyStore, { mode: 0o600 });
}

async function readEmptyStore(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-store-"));
  const [path, copy] = [join(folder, "keyloan.db"), join(folder, "copy.db")];
  const store = await openStore({ path });
  // The file alone holds only what was written back from its log.
  await store.copyTo(copy);
  await store.close();
  const bytes = await readFile(copy);
  await rm(folder, { recursive: true });
  return bytes;
}
