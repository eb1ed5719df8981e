/** How many bytes may be held at once, by all who share it. */
export type ByteBudget = {
  /** Takes so many, or none when they are not there. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
};

/** @param within a larger budget that these bytes count for too */
export function createByteBudget(bytesMax: number, within?: ByteBudget): ByteBudget {
  let held = 0;
  return {
    take: (bytes) => {
      if (held + bytes > bytesMax || within?.take(bytes) === false) return false;
      held += bytes;
      return true;
    },
    give: (bytes) => {
      held -= bytes;
      within?.give(bytes);
    },
  };
}
