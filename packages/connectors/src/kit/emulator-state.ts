import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type * as z from "zod";
import { parseJson } from "./http.ts";

/** What a stand-in remembers over restarts. Change `value`, then `save()`. */
export type EmulatorState<T> = {
  readonly value: T;
  /** Writes the whole value. Each of several simultaneous calls ends once the newest value is written. */
  readonly save: () => Promise<void>;
};

/**
 * Reads `<directory>/<name>.json`, or starts with `initial()` and writes it at once.
 * The folder has mode 0700 and the file 0600. The file is replaced as a whole, so a kill leaves the old or the new one.
 * @throws Error when the file exists and does not match the schema
 */
export async function openEmulatorState<T>(
  directory: string,
  name: string,
  schema: z.ZodType<T>,
  initial: () => T | Promise<T>,
): Promise<EmulatorState<T>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const path = join(directory, `${name}.json`);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const parsed = text === undefined ? undefined : schema.safeParse(parseJson(text));
  if (parsed?.success === false) {
    throw new Error(`the stand-in's state ${name}.json is not readable: delete it to start again`);
  }
  const value = parsed === undefined ? await initial() : parsed.data;
  const save = createSaver(path, () => JSON.stringify(value));
  if (text === undefined) await save();
  return { value, save };
}

function createSaver(path: string, render: () => string): () => Promise<void> {
  let writing: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  // One write at a time; all calls that are made during it share the next one.
  const save = (): Promise<void> => {
    if (writing === undefined) {
      writing = replaceFile(path, render()).finally(() => {
        writing = undefined;
      });
      return writing;
    }
    waiting ??= writing
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return save();
      });
    return waiting;
  };
  return save;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** Random letters and digits for a stand-in's keys and ids; each has more than five bits of randomness. */
export function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      const letter = letters[byte % 64];
      if (letter !== undefined && text.length < length) text += letter;
    }
  }
  return text;
}
