/** A time in milliseconds since the epoch as answers have it. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
