import { createHash } from "node:crypto";
import type * as z from "zod";
import { parseJson } from "../http.ts";
import {
  type DumpDefinition,
  type DumpHead,
  type DumpTable,
  definitionSchema,
  dumpMagic,
  endSchema,
  headSchema,
  lineBytesMax,
  magicPattern,
  tableSchema,
} from "./dump-format.ts";
import type { DumpFault } from "./errors.ts";
import { type DumpValue, isDumpValue, partBytes } from "./values.ts";

/** Makes the error for a fault of a dump. */
export type Broken = (fault: DumpFault) => Error;

/** The content of one line of a dump. */
export type DumpRecord =
  | { readonly kind: "head"; readonly head: DumpHead }
  | { readonly kind: "definition"; readonly definition: DumpDefinition }
  | { readonly kind: "table"; readonly table: DumpTable }
  | { readonly kind: "part"; readonly base64: string }
  | { readonly kind: "row"; readonly values: readonly DumpValue[] };

/**
 * Reads a dump as it arrives. It ends without an error only if the dump is complete and its hash is right: until then,
 * the records are not known to be good.
 * @throws what `broken` returns for any other dump
 */
export async function* readDump(
  broken: Broken,
  dump: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly DumpRecord[]> {
  const hash = createHash("sha256");
  const parser = createParser(broken);
  const rest = { bytes: 0 };
  let ended = false;
  for await (const lines of wholeLines(broken, dump, rest)) {
    const records: DumpRecord[] = [];
    let start = 0;
    for (let end = lines.indexOf(10); end !== -1; end = lines.indexOf(10, start)) {
      if (ended) throw broken("goes_on");
      const line = lines.toString("utf8", start, end);
      if (line.startsWith("e")) {
        parser.end(line.slice(1), hash.update(lines.subarray(0, start)).digest("hex"));
        ended = true;
      } else {
        const record = parser.line(line);
        if (record !== undefined) records.push(record);
      }
      start = end + 1;
    }
    if (!ended) hash.update(lines);
    yield records;
  }
  if (!ended) throw broken("cut_short");
  if (rest.bytes > 0) throw broken("goes_on");
}

/** Joins chunks into buffers of complete lines, wherever the chunks were cut. `rest` counts the bytes left over. */
async function* wholeLines(
  broken: Broken,
  dump: AsyncIterable<Uint8Array>,
  rest: { bytes: number },
): AsyncGenerator<Buffer> {
  let begun: Uint8Array[] = [];
  for await (const chunk of dump) {
    const end = chunk.lastIndexOf(10) + 1;
    if (end > 0) {
      yield Buffer.concat([...begun, chunk.subarray(0, end)]);
      begun = [];
      rest.bytes = 0;
    }
    if (end < chunk.length) {
      begun.push(chunk.subarray(end));
      rest.bytes += chunk.length - end;
    }
    if (rest.bytes > lineBytesMax) throw broken("long_line");
  }
}

type Parser = {
  readonly line: (line: string) => DumpRecord | undefined;
  readonly end: (json: string, sha256: string) => void;
};

type ParserState = {
  broken: Broken;
  lines: number;
  hasHead: boolean;
  table: DumpTable | undefined;
  /** The bytes of each part that came before its row. */
  parts: number[];
  tables: number;
  rows: number;
};

function createParser(broken: Broken): Parser {
  const state: ParserState = {
    broken,
    lines: 0,
    hasHead: false,
    table: undefined,
    parts: [],
    tables: 0,
    rows: 0,
  };
  return {
    line: (line) => {
      if (state.lines++ === 0) {
        readMagic(broken, line);
        return undefined;
      }
      return readLine(state, line[0], parseJson(line.slice(1)));
    },
    end: (json, sha256) => {
      const end = checked(broken, endSchema, parseJson(json));
      const { hasHead, parts, tables, rows } = state;
      if (!hasHead || parts.length > 0 || end.tables !== tables || end.rows !== rows) throw broken("altered");
      if (end.sha256 !== sha256) throw broken("altered");
    },
  };
}

function readMagic(broken: Broken, line: string): void {
  if (line === dumpMagic) return;
  if (magicPattern.test(line)) throw broken("other_version");
  throw broken("no_dump");
}

function readLine(state: ParserState, letter: string | undefined, json: unknown): DumpRecord {
  const { broken, table } = state;
  if (letter === "h" && !state.hasHead) {
    state.hasHead = true;
    return { kind: "head", head: checked(broken, headSchema, json) };
  }
  if (!state.hasHead) throw broken("altered");
  if (letter === "s" && table === undefined) {
    return { kind: "definition", definition: checked(broken, definitionSchema, json) };
  }
  if (letter === "t" && state.parts.length === 0) {
    state.table = checked(broken, tableSchema, json);
    state.tables++;
    return { kind: "table", table: state.table };
  }
  if (letter === "p" && table !== undefined && typeof json === "string" && /^[A-Za-z0-9+/]+$/.test(json)) {
    state.parts.push(Buffer.byteLength(json, "base64"));
    return { kind: "part", base64: json };
  }
  if (letter === "r" && table !== undefined && isRow(table, json)) {
    state.rows++;
    takeParts(state, json);
    return { kind: "row", values: json };
  }
  throw broken("altered");
}

function isRow(table: DumpTable, json: unknown): json is readonly DumpValue[] {
  const width = table.columns.length + (table.rowId === undefined ? 0 : 1);
  if (!Array.isArray(json) || json.length !== width || !json.every(isDumpValue)) return false;
  return table.rowId === undefined || isInteger(json[0]);
}

function isInteger(value: DumpValue | undefined): boolean {
  return typeof value === "number" || (typeof value === "object" && value !== null && "i" in value);
}

/** The parts before a row must be exactly those of its large values, one value after the other. */
function takeParts(state: ParserState, values: readonly DumpValue[]): void {
  const { parts } = state;
  let taken = 0;
  for (const value of values) {
    let missing = partBytes(value) ?? 0;
    while (missing > 0 && taken < parts.length) missing -= parts[taken++] ?? 0;
    if (missing !== 0) throw state.broken("altered");
  }
  if (taken !== parts.length) throw state.broken("altered");
  state.parts = [];
}

function checked<T>(broken: Broken, schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw broken("altered");
}
