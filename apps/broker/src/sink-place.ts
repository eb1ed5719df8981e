import { isAbsolute, relative, resolve } from "node:path";

/**
 * Whether a text names a file or an address that heads may be sent to. Plain http only on this machine: whoever is on
 * the way could keep heads back unseen.
 */
export function isFileOrHttps(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(text)) return true;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "") return false;
  const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isHere);
}

/** Whether a place is in a folder, and so in reach of whoever writes there. */
export function isInside(folder: string | undefined, place: string | undefined): boolean {
  if (folder === undefined || place === undefined || /^https?:/i.test(place)) return false;
  const way = relative(resolve(folder), resolve(place));
  return !way.startsWith("..") && !isAbsolute(way);
}
