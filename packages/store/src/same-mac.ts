import { timingSafeEqual } from "node:crypto";

/** Compares what stands in a row with what it must be, in constant time. */
export function isSameMac(found: string | null, expected: string): boolean {
  const bytes = Buffer.from(found ?? "");
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}
