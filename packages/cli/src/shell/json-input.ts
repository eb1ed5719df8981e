import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { isObject } from "@keyloan/sdk/parts";
import { CommandError, UsageError } from "./command.ts";

const bytesMax = 256 * 1024;

/**
 * A JSON object from a file.
 * @throws CommandError when it cannot be read, UsageError when it is not a JSON object
 */
export function readJsonFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new CommandError(
      "file_unreadable",
      `The file ${file} cannot be read.`,
      "Check the path and its permissions.",
    );
  }
  return parseObject(text, file);
}

/** A JSON object from a stream, read to its end. The text never goes into an error: it may hold secrets. */
export async function readJsonStream(stream: Readable): Promise<Record<string, unknown>> {
  return parseObject(await readTextStream(stream), "stdin");
}

/** The text of a stream, read to its end. */
export async function readTextStream(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > bytesMax) throw new UsageError("There is too much data on stdin: at most 256 KiB are read.");
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseObject(text: string, source: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Node's own message quotes the text, which may be a secret.
  }
  throw new UsageError(
    `The content of ${source} is not a JSON object.`,
    'It should look like {"name": "value"}.',
  );
}
