/** Bytes that differ from place to place, in pieces. */
export async function* content(
  bytes: number,
  pieceBytes = 64 * 1024,
): AsyncGenerator<Uint8Array, void, void> {
  for (let start = 0; start < bytes; start += pieceBytes) {
    const length = Math.min(pieceBytes, bytes - start);
    yield Uint8Array.from({ length }, (_, index) => ((start + index) * 31) & 255);
  }
}

/** What `inner` gives, and then a failure. */
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
