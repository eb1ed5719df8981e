/** Yields the bytes in pieces of that length. */
export async function* piecesOf(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** Bytes that repeat with a period of which no chunk length is a multiple. */
export const patternBytes = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));
