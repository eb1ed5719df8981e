import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { CommandError } from "./command.ts";

/**
 * Writes a file that only its owner can read: whole or not at all, even when the process is killed.
 * @param replace whether an existing file may be replaced; without it, even one that appears meanwhile is kept
 * @throws CommandError with a remedy
 */
export function writeSecretFile(file: string, text: string, replace: boolean): void {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  let made = false;
  try {
    const descriptor = openSync(temporary, "wx", 0o600);
    made = true;
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (replace) {
      renameSync(temporary, file);
      made = false;
    } else {
      linkSync(temporary, file);
    }
  } catch (error) {
    throw writeError(file, error);
  } finally {
    if (made) unlinkSync(temporary);
  }
}

function writeError(file: string, error: unknown): CommandError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  if (code === "EEXIST") {
    const remedy = "Use --force to replace it, or another --output.";
    return new CommandError("file_exists", `The file ${file} already exists; it was not changed.`, remedy);
  }
  const message = `The file ${file} cannot be written (${code}).`;
  return new CommandError(
    "file_unwritable",
    message,
    "Check that the folder exists, that you have permission to write to it, and that it has enough space.",
  );
}
