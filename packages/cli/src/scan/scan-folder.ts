import { createHash } from "node:crypto";
import type { AuditMatch, AuditMatches, Catalog } from "@keyloan/contract";
import { findCandidates } from "./candidates.ts";
import { type Piece, placeIn, readPieces } from "./read-pieces.ts";
import { isVisibleToEveryone } from "./visibility.ts";
import { type SkippedFile, walkFiles } from "./walk-files.ts";

export type Finding = {
  readonly file: string;
  readonly line: number;
  /** In bytes, from 1. */
  readonly column: number;
  /** Browsers get the file. */
  readonly visible: boolean;
  /** The beginning and the length, never the whole. */
  readonly masked: string;
  readonly match: AuditMatch;
};

export type ScanResult = {
  readonly files: number;
  readonly asked: number;
  readonly findings: readonly Finding[];
  readonly skipped: readonly SkippedFile[];
};

export type ScanOptions = {
  readonly skipFolders: ReadonlySet<string>;
  readonly fileBytesMax: number;
  readonly catalog: Catalog;
  /** Asks the broker about at most 500 values. */
  readonly ask: (values: readonly string[]) => Promise<AuditMatches>;
  readonly onProgress: (text: string) => void;
};

type Place = Omit<Finding, "match">;

const valuesAtOnceMax = 400;
/** Below what the broker takes in one body, quotes and commas included. */
const charactersAtOnceMax = 40_000;
const placesMax = 50;

/**
 * Looks through every file of a folder for what was lent. Values that were not are remembered by a hash only, and
 * each is asked about once, however often it stands there.
 */
export async function scanFolder(root: string, options: ScanOptions): Promise<ScanResult> {
  const skipped: SkippedFile[] = [];
  const onSkip = (file: SkippedFile) => void skipped.push(file);
  const isKnownShape = shapesOf(options.catalog);
  const inquiry = createInquiry(options.ask);
  let files = 0;
  for await (const { path, shown } of walkFiles(root, { ...options, onSkip })) {
    const visible = isVisibleToEveryone(shown);
    files += 1;
    options.onProgress(`${files} files, ${inquiry.found()} found  ${shown}`);
    try {
      for await (const piece of readPieces(path)) {
        for (const { value, index } of findCandidates(piece.text, isKnownShape)) {
          if (index + value.length <= piece.overlap) continue;
          await inquiry.add(value, () => placeOf(shown, visible, piece, index, value));
        }
      }
    } catch (error) {
      if (error instanceof Error && error.name === "KeyloanError") throw error;
      onSkip({ shown, reason: "unreadable" });
    }
  }
  const findings = await inquiry.finish();
  return { files, asked: inquiry.asked(), findings, skipped };
}

function placeOf(file: string, visible: boolean, piece: Piece, index: number, value: string): Place {
  const masked = `${value.slice(0, 4)}… (${value.length} characters)`;
  return { file, visible, masked, ...placeIn(piece, index) };
}

function createInquiry(ask: ScanOptions["ask"]) {
  // A value to the places where it stands; `undefined` once it is known to be none of ours.
  const places = new Map<string, Place[] | undefined>();
  const matched = new Map<string, AuditMatch>();
  let waiting = new Map<string, string>();
  let characters = 0;
  let asked = 0;
  const flush = async () => {
    if (waiting.size === 0) return;
    const [keys, values] = [[...waiting.keys()], [...waiting.values()]];
    waiting = new Map();
    characters = 0;
    asked += values.length;
    for (const match of (await ask(values)).matches) {
      const key = keys[match.index];
      if (key !== undefined) matched.set(key, match);
    }
    for (const key of keys) if (!matched.has(key)) places.set(key, undefined);
  };
  const add = async (value: string, placeOfValue: () => Place) => {
    const key = createHash("sha256").update(value).digest("base64");
    if (places.has(key)) {
      const known = places.get(key);
      if (known === undefined || known.length >= placesMax) return;
      const place = placeOfValue();
      if (!known.some((each) => isSame(each, place))) known.push(place);
      return;
    }
    places.set(key, [placeOfValue()]);
    waiting.set(key, value);
    characters += JSON.stringify(value).length + 1;
    if (waiting.size >= valuesAtOnceMax || characters >= charactersAtOnceMax) await flush();
  };
  const finish = async (): Promise<Finding[]> => {
    await flush();
    return [...matched].flatMap(([key, match]) =>
      (places.get(key) ?? []).map((place) => ({ ...place, match })),
    );
  };
  return { add, finish, asked: () => asked, found: () => matched.size };
}

function isSame(a: Place, b: Place): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}

/** Whether a text has the shape of a secret that some connector knows. */
function shapesOf({ connectors }: Catalog): (value: string) => boolean {
  const sources = connectors
    .flatMap(({ orgFields, env }) => [...orgFields, ...env])
    .flatMap(({ secret, pattern }) => (secret && pattern !== undefined ? [pattern] : []));
  const shapes = [...new Set(sources)].flatMap((source) => {
    try {
      const shape = new RegExp(`^(?:${source})$`);
      // A shape that words have too tells nothing.
      return shape.test("ordinary-words-of-a-text") ? [] : [shape];
    } catch {
      return [];
    }
  });
  return (value) => value.length <= 1_024 && shapes.some((shape) => shape.test(value));
}
