/** The pieces of a stream, which `end` breaks off when none comes for that long. */
export async function* withoutSilence(
  pieces: AsyncIterable<Uint8Array>,
  silenceMsMax: number,
  end: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  let timer = setTimeout(end, silenceMsMax);
  try {
    for await (const piece of pieces) {
      clearTimeout(timer);
      yield piece;
      timer = setTimeout(end, silenceMsMax);
    }
  } finally {
    clearTimeout(timer);
  }
}
