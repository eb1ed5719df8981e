import { type FileHandle, open } from "node:fs/promises";
import type { ObjectInfo } from "./object-info.ts";

/**
 * Each object is one file: the data, then its facts as JSON, then the length of the JSON and this mark. Data and
 * facts change together in one rename, and an incompletely written file is recognised.
 */
const mark = Buffer.from("KLOBJ001");
const tailBytes = mark.length + 4;
// Keys and metadata are at most 9 kB, or about 60 kB if every byte is escaped; most files fit in one read of this size.
const readBytes = 16 * 1024;

/** An object opened for reading. It stays readable and unchanged if the object is replaced or deleted meanwhile. */
export type OpenObject = {
  readonly info: ObjectInfo;
  readonly handle: FileHandle;
  /** The data, if it was read together with the facts. */
  readonly data: Buffer | undefined;
};

/** The bytes that follow the data in the file. */
export function writeTail(info: ObjectInfo): Buffer {
  const json = Buffer.from(JSON.stringify(info));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([json, length, mark]);
}

/** Opens an object; `undefined` if there is none or its file is damaged. The caller closes the handle. */
export async function openObjectFile(path: string): Promise<OpenObject | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const found = await readFacts(handle);
    if (found !== undefined) return { handle, ...found };
    await handle.close();
    return undefined;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readFacts(handle: FileHandle): Promise<Omit<OpenObject, "handle"> | undefined> {
  const { size: fileBytes } = await handle.stat();
  let start = Math.max(0, fileBytes - readBytes);
  let end = await readExactly(handle, start, fileBytes - start);
  if (end.length < tailBytes || !end.subarray(-mark.length).equals(mark)) return undefined;
  const jsonBytes = end.readUInt32BE(end.length - tailBytes);
  const jsonStart = fileBytes - tailBytes - jsonBytes;
  if (jsonStart < 0) return undefined;
  if (jsonStart < start) {
    start = jsonStart;
    end = await readExactly(handle, start, fileBytes - start);
  }
  const info = parseInfo(end.subarray(jsonStart - start, end.length - tailBytes).toString());
  if (info === undefined || info.size !== jsonStart) return undefined;
  return { info, data: start === 0 ? end.subarray(0, info.size) : undefined };
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function parseInfo(json: string): ObjectInfo | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObjectInfo(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// Only this module writes these files: the mark and the size prove that a file is complete, this that it is ours.
function isObjectInfo(value: unknown): value is ObjectInfo {
  return (
    typeof value === "object" &&
    value !== null &&
    "key" in value &&
    typeof value.key === "string" &&
    "etag" in value &&
    typeof value.etag === "string" &&
    "size" in value &&
    typeof value.size === "number" &&
    "headers" in value
  );
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
