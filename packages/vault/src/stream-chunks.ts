/** Bytes of a stream, taken in pieces of any length. */
export type ByteQueue = {
  /** Up to `length` bytes; fewer only at the end. */
  readonly take: (length: number) => Promise<Buffer>;
  /** The text up to a line end, which is taken too; `undefined` if there is none within `lengthMax` bytes. */
  readonly line: (lengthMax: number) => Promise<string | undefined>;
  readonly isEmpty: () => Promise<boolean>;
  /** Tells the source that nothing more is needed. */
  readonly end: () => Promise<void>;
};

/** Makes a queue of a stream. Holds one piece of the source at a time, and what is being taken. */
export function byteQueue(source: AsyncIterable<Uint8Array>): ByteQueue {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      rest = next.value;
    }
    return true;
  };
  const take = async (length: number): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0 && (await fill())) {
      const part = rest.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      rest = rest.subarray(part.length);
    }
    return Buffer.concat(parts);
  };
  return {
    take,
    isEmpty: async () => !(await fill()),
    line: async (lengthMax) => {
      let text = "";
      while (text.length <= lengthMax) {
        const byte = await take(1);
        if (byte.length === 0) return undefined;
        if (byte[0] === 0x0a) return text;
        text += byte.toString("latin1");
      }
      return undefined;
    },
    end: async () => {
      await iterator.return?.();
    },
  };
}

/** Chunks of equal length; the last one may be shorter, and is empty only if the queue is. */
export async function* chunksOf(
  queue: ByteQueue,
  length: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }, void, void> {
  try {
    for (;;) {
      const bytes = await queue.take(length);
      const isLast = bytes.length < length || (await queue.isEmpty());
      yield { bytes, isLast };
      if (isLast) return;
    }
  } finally {
    await queue.end();
  }
}
