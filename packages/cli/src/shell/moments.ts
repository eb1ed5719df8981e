import { printable } from "./terminal-text.ts";

/** How far a moment is away, in words short enough for a table: `in 23h`, `5m ago`. */
export function relativeTime(iso: string | undefined, nowMs: number): string {
  const at = iso === undefined ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(at)) return "-";
  const seconds = Math.round(Math.abs(at - nowMs) / 1000);
  const text = spanText(seconds);
  return at >= nowMs ? `in ${text}` : `${text} ago`;
}

/** A span in its two largest units at most. */
export function spanText(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 10) return `${hours}h${minutesPart(seconds)}`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

function minutesPart(seconds: number): string {
  const minutes = Math.floor((seconds % 3600) / 60);
  return minutes === 0 ? "" : `${minutes}m`;
}

/** `2026-11-20 12:00:00Z`. */
export function momentText(iso: string): string {
  return printable(iso)
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}
