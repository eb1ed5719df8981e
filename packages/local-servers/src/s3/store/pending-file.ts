import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { type FileHandle, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMissing, writeTail } from "./object-file.ts";
import type { ObjectInfo } from "./object-info.ts";

/** An object being written. It is not visible before `commit`; a crash before that leaves only a temporary file. */
export type PendingFile = {
  readonly write: (chunk: Buffer) => Promise<void> | void;
  /** Writes the rest of the data, and the facts; the file is then complete but still temporary. */
  readonly finish: (info: ObjectInfo) => Promise<void>;
  /** Moves the finished file into place in one step; it is synchronous, so nothing else runs meanwhile. */
  readonly commit: (path: string) => void;
  /** Removes the temporary file. Does nothing after `commit`. */
  readonly discard: () => Promise<void>;
};

const bufferBytes = 64 * 1024;
const fileMode = 0o600;
const folderMode = 0o700;

export function createPendingFile(temporaryDirectory: string): PendingFile {
  const path = join(temporaryDirectory, randomBytes(16).toString("hex"));
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let handle: FileHandle | undefined;
  let state: "writing" | "committed" | "empty" = "empty";
  const flush = async () => {
    state = "writing";
    handle ??= await open(path, "wx", fileMode);
    await handle.writeFile(Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
  };
  return {
    write: (chunk) => {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      return waitingBytes >= bufferBytes ? flush() : undefined;
    },
    finish: async (info) => {
      const rest = Buffer.concat([...waiting, writeTail(info)]);
      state = "writing";
      if (handle === undefined) return writeFile(path, rest, { flag: "wx", mode: fileMode });
      await handle.writeFile(rest);
      await handle.close();
      handle = undefined;
    },
    commit: (target) => {
      moveInto(path, target);
      state = "committed";
    },
    discard: async () => {
      if (state !== "writing") return;
      await handle?.close();
      await rm(path, { force: true });
    },
  };
}

function moveInto(path: string, target: string): void {
  try {
    renameSync(path, target);
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(dirname(target), { recursive: true, mode: folderMode });
    renameSync(path, target);
  }
}
