import type { FileHandle } from "node:fs/promises";
import type { UnderlyingSource } from "node:stream/web";

const chunkBytes = 64 * 1024;
/** Whoever takes less in that time is taken for nobody: the file would stay on the disk for as long as they like. */
export const movesWithinMs = 30_000;
export const movesBytesMin = 1024 * 1024;

/**
 * What an open file holds, read as it is wanted. The file is closed when all of it is handed on, when nobody wants it any
 * more, and when it does not move; the stream then ends with an error.
 * @param sleep ends early with its signal
 * @param onClosed called once
 */
export function streamFile(
  { handle, bytes }: { readonly handle: FileHandle; readonly bytes: number },
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
  onClosed: () => void,
): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  let sent = 0;
  const close = async () => {
    if (ended.signal.aborted) return;
    ended.abort();
    await handle.close().catch(() => undefined);
    onClosed();
  };
  const endWhenStill = async (fail: (error: Error) => void) => {
    for (let before = -movesBytesMin; sent - before >= movesBytesMin; ) {
      before = sent;
      await sleep(movesWithinMs, ended.signal);
      if (ended.signal.aborted) return;
    }
    fail(new Error("the file was not read"));
    await close();
  };
  const source: UnderlyingSource<Uint8Array> = {
    start: (controller) => {
      void endWhenStill((error) => controller.error(error));
    },
    pull: async (controller) => {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes)).catch(async (error) => {
        await close();
        throw error;
      });
      if (ended.signal.aborted) return;
      sent += bytesRead;
      if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
      if (bytesRead > 0 && sent < bytes) return;
      await close();
      controller.close();
    },
    cancel: close,
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}
