import { type EnvFileLine, parseEnvFile, serialiseEnvFile } from "./env-file.ts";
import { EnvFileError, type EnvFileErrorCode, type EnvFilePlace, placesText } from "./env-file-error.ts";
import type { EnvLine } from "./env-line.ts";
import { renderEnv } from "./render-env.ts";
import { standsAlone } from "./standing-alone.ts";

const beginMark = "# >>> keyloan: what stands up to the closing mark is replaced by the next merge >>>";
const endMark = "# <<< keyloan <<<";

/**
 * Puts these variables into an existing `.env` file, in a block between two marks: in place of the existing block, or
 * else at the end. Every other line stays as it is, byte for byte and in order.
 * @throws EnvFileError if a name is set outside the block too, the marks are broken, or a line is unclear
 * @throws EnvFormatError as `renderEnv` does
 */
export function mergeEnv(
  existingText: string,
  lines: readonly EnvLine[],
  options: { readonly format: "dotenv" },
): string {
  return mergeEnvText(existingText, renderEnv(lines, options));
}

/**
 * The same for variables that have been rendered already.
 * @param dotenvText what `renderEnv` returned for the format `dotenv`
 * @throws EnvFileError
 */
export function mergeEnvText(existingText: string, dotenvText: string): string {
  const existing = parseEnvFile(existingText);
  refuseOpenQuotes(existing);
  const place = findBlock(existing);
  const own = parseEnvFile(dotenvText);
  // Values without quotes are safe: they mean the same inside and outside of somebody else's quotes.
  if (own.some(({ kind, text }) => kind === "assignment" && /['"]/.test(text))) {
    refuseEntangled(existing.slice(0, place.begin));
  }
  refuseSetOutside([...existing.slice(0, place.begin), ...existing.slice(place.end)], own);
  const lineEnd = /\r\n|\n/.exec(existingText)?.[0] ?? "\n";
  const block = [beginMark, ...own.map(withoutLineEnd), endMark].join(lineEnd);
  const last = existing[place.end - 1];
  if (place.begin < place.end) {
    const before = serialiseEnvFile(existing.slice(0, place.begin));
    return before + block + lineEndOf(last) + serialiseEnvFile(existing.slice(place.end));
  }
  if (last === undefined) return block + lineEnd;
  const hasFinalLineEnd = existingText.endsWith("\n");
  const gap = (hasFinalLineEnd ? "" : lineEnd) + (last.kind === "blank" ? "" : lineEnd);
  return existingText + gap + block + (hasFinalLineEnd ? lineEnd : "");
}

/** The index of the block's first line, and the one after its last; both the number of lines if there is none. */
function findBlock(lines: readonly EnvFileLine[]): { readonly begin: number; readonly end: number } {
  const marks = lines.flatMap((line, index) => {
    const mark = line.kind === "comment" ? /^# (>>>|<<<) keyloan\b/.exec(line.text.trim())?.[1] : undefined;
    return mark === undefined ? [] : [{ mark, index, line: line.number }];
  });
  const [begin, end] = marks;
  if (begin === undefined) return { begin: lines.length, end: lines.length };
  if (marks.length === 2 && begin.mark === ">>>" && end?.mark === "<<<") {
    return { begin: begin.index, end: end.index + 1 };
  }
  const places = marks.map(({ line }) => ({ line }));
  throw new EnvFileError(
    "broken_block",
    `The marks of Keyloan's block do not match: ${placesText(places)}.`,
    `Keep exactly one block that starts with "# >>> keyloan" and ends with "${endMark}", or delete it with both marks.`,
    places,
  );
}

function refuseOpenQuotes(lines: readonly EnvFileLine[]): void {
  refuse(
    "unclear_line",
    lines.filter((line) => line.kind === "assignment" && line.state === "unclear"),
    "Programs would disagree on where the quotes end",
    "Close the quotes, with nothing but a comment after them; put a value that contains one kind of quote between the other kind.",
  );
}

function refuseEntangled(lines: readonly EnvFileLine[]): void {
  refuse(
    "unclear_line",
    lines.filter(({ text }) => !standsAlone(text)),
    "A shell that reads the file could run values below these lines as commands",
    "Write each as a comment or as NAME='value', with no backslash at a line's end and no invisible signs; a value " +
      "that contains ' goes between \", without $, backslash and `. Or put the two lines " +
      `"# >>> keyloan" and "${endMark}" above them: Keyloan writes between these.`,
  );
}

/** With two lines for one name, the reader and the order would decide which counts, and nobody would notice. */
function refuseSetOutside(foreign: readonly EnvFileLine[], own: readonly EnvFileLine[]): void {
  const names = new Set(own.flatMap((line) => (line.kind === "assignment" ? [line.name] : [])));
  refuse(
    "name_outside",
    foreign.filter((line) => line.kind === "assignment" && names.has(line.name)),
    "The file sets names that Keyloan writes too",
    "Delete these lines or turn them into comments, then merge again.",
  );
}

function refuse(
  code: EnvFileErrorCode,
  lines: readonly EnvFileLine[],
  message: string,
  remedy: string,
): void {
  if (lines.length === 0) return;
  const places = lines.map(
    (line): EnvFilePlace => ({
      ...(line.kind === "assignment" ? { name: line.name } : {}),
      line: line.number,
    }),
  );
  throw new EnvFileError(code, `${message}: ${placesText(places)}.`, remedy, places);
}

function lineEndOf(line: EnvFileLine | undefined): string {
  return /(?:\r\n|[\n\r\u2028\u2029])$/.exec(line?.text ?? "")?.[0] ?? "";
}

function withoutLineEnd(line: EnvFileLine): string {
  return line.text.slice(0, line.text.length - lineEndOf(line).length);
}
