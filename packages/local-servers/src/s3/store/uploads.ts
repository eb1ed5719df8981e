import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openObjectFile } from "./object-file.ts";
import type { ObjectHeaders, ObjectInfo } from "./object-info.ts";

/** A multipart upload that is neither completed nor aborted. */
export type Upload = {
  readonly id: string;
  readonly key: string;
  readonly headers: ObjectHeaders;
  readonly initiatedMs: number;
  readonly parts: Map<number, ObjectInfo>;
};

export type Uploads = {
  readonly create: (key: string, headers: ObjectHeaders, nowMs: number) => Upload;
  readonly get: (id: string) => Upload | undefined;
  readonly all: () => Iterable<Upload>;
  readonly partPath: (upload: Upload, partNumber: number) => string;
  /** Forgets the upload immediately, then removes its parts. */
  readonly remove: (upload: Upload) => Promise<void>;
};

const factsFile = "upload.json";
const partFile = /^part-(\d{5})$/;

/** Reads the uploads that an earlier process left, and stores these and new ones in the folder. */
export async function openUploads(directory: string): Promise<Uploads> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const uploads = new Map<string, Upload>();
  for (const id of readdirSync(directory)) {
    const upload = await loadUpload(directory, id);
    if (upload === undefined) await rm(join(directory, id), { recursive: true, force: true });
    else uploads.set(id, upload);
  }
  return {
    create: (key, headers, nowMs) => {
      const upload = {
        id: randomBytes(24).toString("hex"),
        key,
        headers,
        initiatedMs: nowMs,
        parts: new Map(),
      };
      const { parts: _, ...facts } = upload;
      const path = join(directory, upload.id, factsFile);
      mkdirSync(join(directory, upload.id), { mode: 0o700 });
      writeFileSync(`${path}.new`, JSON.stringify(facts), { mode: 0o600 });
      renameSync(`${path}.new`, path);
      uploads.set(upload.id, upload);
      return upload;
    },
    get: (id) => uploads.get(id),
    all: () => uploads.values(),
    partPath: (upload, partNumber) =>
      join(directory, upload.id, `part-${String(partNumber).padStart(5, "0")}`),
    remove: async (upload) => {
      uploads.delete(upload.id);
      await rm(join(directory, upload.id), { recursive: true, force: true });
    },
  };
}

async function loadUpload(directory: string, id: string): Promise<Upload | undefined> {
  const facts = readFacts(join(directory, id, factsFile));
  if (facts === undefined) return undefined;
  const parts = new Map<number, ObjectInfo>();
  for (const name of readdirSync(join(directory, id))) {
    const partNumber = partFile.exec(name)?.[1];
    if (partNumber === undefined) continue;
    const part = await openObjectFile(join(directory, id, name));
    if (part === undefined) continue;
    parts.set(Number(partNumber), part.info);
    await part.handle.close();
  }
  return { ...facts, id, parts };
}

// Only `create` writes this file, with a rename: if the file exists, it is complete.
function readFacts(path: string): Omit<Upload, "parts"> | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
