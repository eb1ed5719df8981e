import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { CommandError } from "./command.ts";

/**
 * Writes a file that only its owner can read as it arrives: whole or not at all.
 * @param replace whether an existing file may be replaced; without it, even one that appears meanwhile is kept
 * @throws CommandError with a remedy, and what `fill` throws
 */
export async function writeDownload<T>(
  file: string,
  replace: boolean,
  fill: (write: (piece: Uint8Array) => void) => Promise<T>,
): Promise<T> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const descriptor = attempt(file, () => openSync(temporary, "wx", 0o600));
  let isLeft = true;
  try {
    const result = await fill((piece) => attempt(file, () => writeWhole(descriptor, piece)));
    attempt(file, () => fsyncSync(descriptor));
    attempt(file, () => (replace ? renameSync(temporary, file) : linkSync(temporary, file)));
    isLeft = !replace;
    return result;
  } finally {
    closeSync(descriptor);
    if (isLeft) unlinkSync(temporary);
  }
}

function writeWhole(descriptor: number, piece: Uint8Array): void {
  for (let written = 0; written < piece.length; ) written += writeSync(descriptor, piece, written);
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw code === "EEXIST"
      ? fileExists(file)
      : new CommandError(
          "file_unwritable",
          `The file ${file} cannot be written (${code}).`,
          "Check that the folder exists, that you have permission to write to it, and that it has enough space.",
        );
  }
}

export function fileExists(file: string): CommandError {
  return new CommandError(
    "file_exists",
    `The file ${file} already exists; it was not changed.`,
    "Use --force to replace it, or another --out.",
  );
}
