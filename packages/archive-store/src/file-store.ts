import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BrokerError } from "@keyloan/contract";
import { type ArchiveStore, isArchiveName, type StoredArchive } from "./archive.ts";
import { type FailedAction, missing, unavailable, until } from "./failures.ts";

const partPattern = /^\.(.+)\.[0-9a-f]{12}\.part$/;
const pieceBytes = 64 * 1024;

/** Archives as files of their owner alone, in a folder that is made at the first use. */
export function createFileStore(directory: string): ArchiveStore {
  const pathOf = (name: string) => join(directory, name);
  const partsOf = async (name: string) =>
    (await namesIn(directory)).filter((entry) => partPattern.exec(entry)?.[1] === name);
  return {
    put: (name, content, signal) => write(directory, name, until(signal, content)),
    get: (name, signal) => until(signal, read(pathOf(name))),
    remove: async (name) => {
      try {
        const entries = [name, ...(await partsOf(name))];
        for (const entry of entries) await rm(pathOf(entry), { force: true });
        if ((await namesIn(directory)).some((entry) => entries.includes(entry))) {
          throw unavailable("removed", "it is still there", fileRemedy(undefined));
        }
      } catch (error) {
        throw failure("removed", error);
      }
    },
    list: async function* () {
      const entries = await namesIn(directory).catch((error: unknown) => {
        throw failure("listed", error);
      });
      for (const entry of entries) {
        const name = partPattern.exec(entry)?.[1] ?? entry;
        if (isArchiveName(name)) yield name;
      }
    },
  };
}

/** Whole and on disk before it has its name: first the bytes, then the name, then the folder that holds it. */
async function write(
  directory: string,
  name: string,
  content: AsyncIterable<Uint8Array>,
): Promise<StoredArchive> {
  const part = join(directory, `.${name}.${randomBytes(6).toString("hex")}.part`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    const stored = await writePart(part, content);
    await rename(part, join(directory, name));
    await syncFolder(directory);
    return stored;
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw failure("written", error);
  }
}

async function writePart(path: string, content: AsyncIterable<Uint8Array>): Promise<StoredArchive> {
  const file = await open(path, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of content) {
      await file.writeFile(piece);
      hash.update(piece);
      bytes += piece.length;
    }
    await file.sync();
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

async function* read(path: string): AsyncGenerator<Uint8Array, void, void> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw codeOf(error) === "ENOENT" ? missing() : failure("read", error);
  });
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const { bytesRead } = await file.read(piece, 0, pieceBytes).catch((error: unknown) => {
        throw failure("read", error);
      });
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Only what the file system refuses becomes `unavailable`: what the content itself throws is not ours. */
function failure(action: FailedAction, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof BrokerError || code === undefined) return error;
  return unavailable(action, code, fileRemedy(code));
}

function fileRemedy(code: string | undefined): string {
  return code === "ENOSPC" || code === "EDQUOT"
    ? "Free space on the disk of the archives; the database is kept as it is until then."
    : "Look at the folder of archives: its permissions and its disk.";
}

/** The code of a file system's error; those of streams and of others have none, or one that is no errno. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return String(error.code);
}
