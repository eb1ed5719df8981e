import { createHash, type Hash } from "node:crypto";
import * as z from "zod";
import { objectTypes } from "./read-schema.ts";
import { rowIdNames } from "./table-shape.ts";
import { isDumpValue, isSmall, type SmallValue } from "./values.ts";

/**
 * A dump consists of lines of text. The first names the format and its version; every other is a letter followed
 * by JSON:
 * `h` the numbers that belong to the whole database, `s` one definition, `t` the table whose rows follow,
 * `p` a part of a large value of the next row, `r` a row, `e` the end with the counts and the SHA-256 of all bytes
 * before this line.
 */
export const dumpMagic = "keyloan-libsql-dump 1";
export const magicPattern = /^keyloan-libsql-dump \d{1,9}$/;

const settingSchema = z.custom<SmallValue>((value) => isDumpValue(value) && isSmall(value));

export const headSchema = z.strictObject({ userVersion: z.int(), applicationId: z.int() });

export const definitionSchema = z.strictObject({
  type: z.enum(objectTypes),
  name: z.string(),
  table: z.string(),
  sql: z.string(),
  search: z
    .strictObject({
      kind: z.enum(["own", "external"]),
      settings: z.array(z.tuple([settingSchema, settingSchema]).readonly()).readonly(),
    })
    .optional(),
});

export const tableSchema = z.strictObject({
  name: z.string(),
  columns: z.array(z.string()).min(1).readonly(),
  /** Given if the row id comes before the columns in every row. */
  rowId: z.enum(rowIdNames).optional(),
});

export const endSchema = z.strictObject({
  tables: z.int().min(0),
  rows: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type DumpHead = z.output<typeof headSchema>;
export type DumpDefinition = z.output<typeof definitionSchema>;
export type DumpTable = z.output<typeof tableSchema>;

/** Longer than any line that is written. */
export const lineBytesMax = 8 * 1024 * 1024;

/** Collects lines into chunks and keeps count of them. */
export type DumpWriter = {
  readonly line: (letter: "h" | "s" | "t" | "p" | "r", value: unknown) => void;
  /** The lines since the last call; `undefined` if there are none or, without `whatever`, too few for a chunk. */
  readonly take: (whatever?: "whatever") => Buffer | undefined;
  /** The last line. */
  readonly end: () => Buffer;
  readonly bytes: () => number;
  readonly rows: () => number;
};

const chunkCharactersMin = 64 * 1024;

export function createDumpWriter(): DumpWriter {
  const hash: Hash = createHash("sha256");
  const counts = { rows: 0, tables: 0, bytes: 0 };
  let waiting = `${dumpMagic}\n`;
  const take = (whatever?: "whatever") => {
    if (waiting === "" || (whatever === undefined && waiting.length < chunkCharactersMin)) return undefined;
    const chunk = Buffer.from(waiting, "utf8");
    waiting = "";
    hash.update(chunk);
    counts.bytes += chunk.length;
    return chunk;
  };
  return {
    line: (letter, value) => {
      if (letter === "r") counts.rows++;
      if (letter === "t") counts.tables++;
      waiting += `${letter}${JSON.stringify(value)}\n`;
    },
    take,
    end: () => {
      const rest = take("whatever") ?? Buffer.alloc(0);
      const { tables, rows } = counts;
      const line = Buffer.from(`e${JSON.stringify({ tables, rows, sha256: hash.digest("hex") })}\n`);
      counts.bytes += line.length;
      return Buffer.concat([rest, line]);
    },
    bytes: () => counts.bytes,
    rows: () => counts.rows,
  };
}
