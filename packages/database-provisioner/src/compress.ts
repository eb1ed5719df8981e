import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";

/** Zstandard at its default level, with its own checksum. The memory it needs does not grow with the stream. */
export function compress(plain: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  return through(createZstdCompress({ params }), plain);
}

/** Reverses {@link compress}. Throws Error if the stream is incomplete or not compressed. */
export function decompress(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(createZstdDecompress(), compressed);
}

async function* through(
  transform: Transform,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let broken: { readonly error: unknown } | undefined;
  async function* watched() {
    try {
      yield* source;
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  const feeding = pipeline(watched, transform);
  feeding.catch(() => undefined);
  try {
    yield* transform;
    await feeding;
  } catch (error) {
    throw broken === undefined ? error : broken.error;
  } finally {
    // If the reader stops early, the source ends too.
    transform.destroy();
    await feeding.catch(() => undefined);
  }
}
