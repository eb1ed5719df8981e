import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";

/** A part of a file as text, one character a byte, so that no file is too strange to be read. */
export type Piece = {
  readonly text: string;
  /** How many characters at its beginning were in the piece before. */
  readonly overlap: number;
  /** Of the first character, from 1. */
  readonly line: number;
  readonly column: number;
};

const pieceBytes = 1024 * 1024;
/** Longer than any value that can be asked about, so that each stands whole in one piece. */
const overlapBytes = 12 * 1024;
const unpackedBytesMax = 1024 * 1024 * 1024;

/**
 * A file in pieces that overlap; what is packed with gzip or brotli is unpacked, since servers send such files as
 * they are. @throws Error when it cannot be read or unpacks without end
 */
export async function* readPieces(path: string): AsyncGenerator<Piece, void, void> {
  let text = "";
  let line = 1;
  let column = 1;
  let overlap = 0;
  let bytes = 0;
  for await (const chunk of open(path)) {
    bytes += chunk.length;
    if (bytes > unpackedBytesMax) throw new Error("it unpacks to more than can be read");
    text += Buffer.from(chunk).toString("latin1");
    if (text.length < pieceBytes) continue;
    yield { text, overlap, line, column };
    const passed = text.slice(0, text.length - overlapBytes);
    const breaks = passed.split("\n").length - 1;
    column = breaks === 0 ? column + passed.length : passed.length - passed.lastIndexOf("\n");
    line += breaks;
    text = text.slice(-overlapBytes);
    overlap = text.length;
  }
  if (text.length > overlap || overlap === 0) yield { text, overlap, line, column };
}

/** Where a character of a piece stands in the file. Columns count bytes. */
export function placeIn(piece: Piece, index: number): { readonly line: number; readonly column: number } {
  const before = piece.text.slice(0, index);
  const last = before.lastIndexOf("\n");
  if (last === -1) return { line: piece.line, column: piece.column + index };
  return { line: piece.line + before.split("\n").length - 1, column: index - last };
}

function open(path: string): Readable {
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 });
  const unpack = path.endsWith(".gz")
    ? createGunzip()
    : path.endsWith(".br")
      ? createBrotliDecompress()
      : undefined;
  if (unpack === undefined) return stream;
  stream.on("error", (error) => unpack.destroy(error));
  return stream.pipe(unpack);
}
