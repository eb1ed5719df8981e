import { fillBuffers } from "./read-object.ts";
import { uploadParts, type WritableObject } from "./upload-parts.ts";

/** Two parts are held in memory. S3 accepts 10,000 parts, so an object has at most 80 GB. */
const partBytes = 8 * 1024 * 1024;

/**
 * Writes an object whose length is not known in advance, and replaces any existing one: in one request if it is short,
 * otherwise in parts, which are all discarded if one fails.
 * @throws ProviderError, and whatever `content` throws
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
