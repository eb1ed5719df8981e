/** How far ahead a clock may have been when something was created. */
const aheadMs = 5 * 60_000;

/**
 * Whether something has expired. Something created more than {@link aheadMs} in the future has expired too: a clock
 * was ahead when it was created, so its expiry is too late.
 */
export function isOver(
  { createdAt, expiresAt }: { readonly createdAt: number; readonly expiresAt: number },
  now: number,
): boolean {
  return expiresAt <= now || createdAt > now + aheadMs;
}
