import { timingSafeEqual } from "node:crypto";

/** Whether a row's MAC is the expected one, compared in constant time. */
export function isSameMac(found: string | null, expected: string): boolean {
  const bytes = Buffer.from(found ?? "");
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}
