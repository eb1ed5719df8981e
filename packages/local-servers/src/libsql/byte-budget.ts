/** Limits how many bytes all users of the budget together hold at once. */
export type ByteBudget = {
  /** Takes the bytes and returns true; takes nothing and returns false if too few are left. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
};

/** @param within a larger budget in which these bytes count too */
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
