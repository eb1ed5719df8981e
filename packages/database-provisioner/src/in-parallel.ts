/**
 * Does some work for every item, a few at a time. After the first failure it starts no more, and throws the failure
 * once the running work has ended, so that nothing continues after this returns.
 * @param work gets a signal that is aborted at the first failure
 */
export async function eachInParallel<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const iterator = items[Symbol.asyncIterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        if (failure !== undefined) return;
        await work(next.value, failed.signal);
      }
    } catch (error) {
      failure ??= { error };
      failed.abort();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure === undefined) return;
  await iterator.return?.();
  throw failure.error;
}
