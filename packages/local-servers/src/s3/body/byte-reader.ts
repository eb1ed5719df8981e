import { S3Error } from "../s3-error.ts";

/** Reads lines and numbers of bytes from a stream of chunks of any size. */
export type ByteReader = {
  /** The next line without its end; `undefined` at the end of the stream. */
  readonly readLine: () => Promise<string | undefined>;
  /** The next bytes: at least one and at most `count`. */
  readonly readSome: (count: number) => Promise<Buffer>;
};

const lineBytesMax = 4096;
const lineFeed = 10;

/** Its calls throw S3Error `IncompleteBody` if the stream ends early, `InvalidRequest` for a line over 4 KiB. */
export function createByteReader(source: AsyncIterable<Buffer>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const pull = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    return true;
  };
  return {
    readLine: async () => {
      let end = rest.indexOf(lineFeed);
      while (end === -1) {
        if (rest.length > lineBytesMax) throw new S3Error("InvalidRequest", "A chunk header is too long.");
        if (!(await pull())) {
          if (rest.length === 0) return undefined;
          throw incomplete();
        }
        end = rest.indexOf(lineFeed);
      }
      const line = rest.subarray(0, end).toString("latin1").replace(/\r$/, "");
      rest = rest.subarray(end + 1);
      return line;
    },
    readSome: async (count) => {
      while (rest.length === 0) if (!(await pull())) throw incomplete();
      const taken = rest.subarray(0, count);
      rest = rest.subarray(taken.length);
      return taken;
    },
  };
}

export const incomplete = () =>
  new S3Error("IncompleteBody", "The request body ended before, or after, its declared length.");
