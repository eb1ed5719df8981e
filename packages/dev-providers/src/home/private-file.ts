import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type * as z from "zod";
import { systemCode } from "../launch-error.ts";

/** Writes a file that only its owner can read, whole or not at all. */
export function writePrivateFile(file: string, text: string): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}

/** The text of a file that must stay private, or `undefined` when there is none. Its mode becomes 0600. */
export function readPrivateFile(file: string): string | undefined {
  try {
    chmodSync(file, 0o600);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The content of a JSON file, or `undefined` when there is none or it is not of the schema. */
export function readJsonFile<T>(file: string, schema: z.ZodType<T>): T | undefined {
  const text = readPrivateFile(file);
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
