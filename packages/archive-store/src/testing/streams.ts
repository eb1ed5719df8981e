/** Bytes in pieces, whose values depend on their position. */
export async function* content(
  bytes: number,
  pieceBytes = 64 * 1024,
): AsyncGenerator<Uint8Array, void, void> {
  // Each piece begins at another place in the pattern than the one before.
  const pattern = Buffer.alloc(
    pieceBytes + 256,
    Uint8Array.from({ length: 256 }, (_, at) => (at * 31) & 255),
  );
  for (let start = 0, piece = 0; start < bytes; start += pieceBytes, piece++) {
    const from = piece % 256;
    yield pattern.subarray(from, from + Math.min(pieceBytes, bytes - start));
  }
}

/** Yields everything from `inner`, then throws. */
export async function* failing(inner: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield* inner;
  throw new Error("the source broke");
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

export async function names(list: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of list) found.push(name);
  return found.sort();
}
