import { lstatSync, readFileSync } from "node:fs";
import { CommandError } from "./command.ts";

/**
 * The text of a file that is about to be replaced by a changed one; undefined when there is none.
 * @throws CommandError when it could not be written back as it was: a symbolic link, or not UTF-8
 */
export function readReplaceableText(file: string, shown: string): string | undefined {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new CommandError(
      "file_unreadable",
      `${shown} is a symbolic link, which would be replaced by a file.`,
      "Name the file that the link points to.",
    );
  }
  return readText(file, shown);
}

/**
 * The text of a file, with the mark of its byte order if it has one; undefined when there is none.
 * @throws CommandError when it cannot be read or is not UTF-8
 */
export function readText(file: string, shown: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    if (code === "ENOENT") return undefined;
    const reason = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8 text" : code;
    throw new CommandError(
      "file_unreadable",
      `The file ${shown} cannot be read (${reason}).`,
      "Check that it is a UTF-8 text file and that you have permission to read it.",
    );
  }
}
