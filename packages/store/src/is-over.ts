/** How far a clock may have been ahead when something was made. */
const aheadMs = 5 * 60_000;

/**
 * Whether what was made at one time to end at another is over. So is what was made later than now: a clock was ahead
 * then, and the end that it gave comes too late.
 */
export function isOver(
  { createdAt, expiresAt }: { readonly createdAt: number; readonly expiresAt: number },
  now: number,
): boolean {
  return expiresAt <= now || createdAt > now + aheadMs;
}
