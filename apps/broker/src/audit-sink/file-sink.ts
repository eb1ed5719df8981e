import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { AuditSink } from "./audit-sink.ts";

const tailBytes = 64 * 1024;

/**
 * A file that only grows: a line of JSON for each head, flushed to the disk. Whatever else is at its end, a line that
 * was cut off too, is left as it is.
 */
export function openFileSink(path: string): AuditSink {
  // One call at a time: a file system that hangs would hold a thread for each.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    address: path,
    readsBack: "always",
    read: (signal) => inTurn(signal, async () => (await readTail(path)) ?? ""),
    append: (line, _id, signal) => inTurn(signal, () => appendLine(path, line)),
  };
}

/** The last lines of a file; `undefined` when there is none. @throws Error when it cannot be read */
export async function readTail(path: string): Promise<string | undefined> {
  if (!(await isFile(path))) return undefined;
  const file = await open(path, constants.O_RDONLY);
  try {
    return await tailOf(file);
  } finally {
    await file.close();
  }
}

async function appendLine(path: string, line: string): Promise<void> {
  await isFile(path);
  const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    const tail = await tailOf(file);
    const start = tail === "" || tail.endsWith("\n") ? "" : "\n";
    await file.appendFile(`${start}${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function tailOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const start = Math.max(0, size - tailBytes);
  const bytes = Buffer.alloc(size - start);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  return bytes.subarray(0, bytesRead).toString("utf8");
}

/** @throws Error for what is no regular file: opening a pipe would wait for its other end */
async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found !== undefined && !found.isFile()) throw new Error("it is not a regular file");
  return found !== undefined;
}
