import { fillBuffers } from "./read-object.ts";
import { uploadParts, type WritableObject } from "./upload-parts.ts";

/** Of which two are held. S3 takes 10,000 parts, so an object has 80 GB at most. */
const partBytes = 8 * 1024 * 1024;

/**
 * Writes an object of a length that is not known before, over whatever is there: in one request when it is short, and
 * else in parts, which are given up together.
 * @throws ProviderError, and what `content` throws
 */
export async function writeObject(object: WritableObject, content: AsyncIterable<Uint8Array>): Promise<void> {
  const parts = fillBuffers(content, [Buffer.allocUnsafe(partBytes), Buffer.allocUnsafe(partBytes)]);
  try {
    const first = (await parts.next()).value ?? Buffer.alloc(0);
    if (first.length < partBytes) {
      await object.store.put(object.key, first);
      return;
    }
    await uploadParts(object, {}, async (send) => {
      await send(first);
      for await (const part of parts) await send(part);
    });
  } finally {
    await parts.return(undefined);
  }
}
