import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ArchivePlace, missing } from "./archive.ts";

/** Archives as files that only their owner can access, in a folder that is created at the first use. */
export function createFilePlace(directory: string): ArchivePlace {
  const pathOf = (name: string) => join(directory, name);
  const entries = () => readdir(directory).catch(unlessAbsent((): string[] => []));
  return {
    put: (name, content) => write(directory, name, content),
    get: async function* (name) {
      const file = await open(pathOf(name)).catch(unlessAbsent(missing));
      yield* file.createReadStream();
    },
    remove: async (name) => {
      const isOfName = (entry: string) => nameOf(entry) === name;
      for (const entry of (await entries()).filter(isOfName)) await rm(pathOf(entry), { force: true });
      return !(await entries()).some(isOfName);
    },
    list: async function* () {
      yield* (await entries()).map(nameOf);
    },
    codeOf,
    remedyOf: (code) =>
      code === "ENOSPC" || code === "EDQUOT"
        ? "Free space on the disk of the archives; until then the database is kept as it is."
        : "Check the folder of archives: its permissions and its disk.",
  };
}

/** The archive's name of a file, which may also be an incompletely written one. */
const nameOf = (entry: string) => /^\.(.+)\.[0-9a-f]{12}\.part$/.exec(entry)?.[1] ?? entry;

/** Gives a file its name only once it is on disk: flushes the bytes, renames the file, then flushes the folder. */
async function write(directory: string, name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const part = join(directory, `.${name}.${randomBytes(6).toString("hex")}.part`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    await writeFile(part, content, { flag: "wx", mode: 0o600, flush: true });
    await rename(part, join(directory, name));
    const folder = await open(directory);
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
}

const unlessAbsent =
  <T>(otherwise: () => T) =>
  (error: unknown): T => {
    if (codeOf(error) !== "ENOENT") throw error;
    return otherwise();
  };

/** The code of a file system error; other errors, such as those of streams, have no code or none that is an errno. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return String(error.code);
}
