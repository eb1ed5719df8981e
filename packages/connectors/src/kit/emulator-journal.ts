import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { basename } from "node:path";
import type * as z from "zod";
import { parseJson } from "./http.ts";

/** Named records in memory. A change counts once it is written to a file, as one line. */
export type Journal<T> = {
  readonly records: Map<string, T>;
  /** Writes the record that `records` now holds under the name. Simultaneous calls share one write. */
  readonly write: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Reads the lines and starts a new file with the remaining records; mode 0600. It ignores a last line that a
 * kill cut short: the write of that line was never confirmed.
 * @throws Error when any other line is not readable
 */
export async function openJournal<T>(path: string, schema: z.ZodType<T>): Promise<Journal<T>> {
  const records = await readRecords(path, schema);
  const temporary = `${path}.tmp`;
  const fresh = await open(temporary, "w", 0o600);
  await fresh.writeFile([...records].map(([name, record]) => lineOf(name, record)).join(""));
  await rename(temporary, path);
  const append = createAppender(fresh);
  return {
    records,
    write: (name) => append(lineOf(name, records.get(name))),
    close: () => fresh.close(),
  };
}

/** One line: the name, and its record or `null` if the record was deleted. */
function lineOf(name: string, record: unknown): string {
  return `${JSON.stringify([name, record ?? null])}\n`;
}

async function readRecords<T>(path: string, schema: z.ZodType<T>): Promise<Map<string, T>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const records = new Map<string, T>();
  // The text after the last line break is empty or was cut short.
  for (const line of text.split("\n").slice(0, -1)) {
    const entry = parseJson(line);
    const [name, value]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    const record = value === null ? undefined : schema.safeParse(value);
    if (typeof name !== "string" || record?.success === false) {
      throw new Error(`the stand-in's ${basename(path)} is not readable: delete its folder to start again`);
    }
    if (record === undefined) records.delete(name);
    else records.set(name, record.data);
  }
  return records;
}

function createAppender(file: FileHandle): (line: string) => Promise<void> {
  let waiting = "";
  let writing: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const flush = async () => {
    const text = waiting;
    waiting = "";
    next = undefined;
    await file.appendFile(text);
  };
  return (line) => {
    waiting += line;
    next ??= (writing ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        writing = flush();
        return writing;
      });
    return next;
  };
}
