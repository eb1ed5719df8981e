import type { EnvLine } from "./env-line.ts";

/** One flat JSON object, in the order of the lines. It can carry every text. */
export function renderJson(lines: readonly EnvLine[]): string {
  // Names are checked, so they need no escape. An object literal would reorder names that look like numbers.
  return `{${lines.map(({ name, value }) => `"${name}":${JSON.stringify(value.reveal())}`).join(",")}}`;
}
