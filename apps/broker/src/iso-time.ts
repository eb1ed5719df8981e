/** A time in milliseconds since the epoch as answers have it; the epoch for what is no time, which no broker wrote. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
