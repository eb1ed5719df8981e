import { createHash } from "node:crypto";
import type { BrokerContext } from "./context.ts";

/** A document that never changes while the process runs. */
export type KeptFile = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
};

export function keepFile(bytes: Uint8Array<ArrayBuffer>, type: string): KeptFile {
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, type, etag };
}

/** The file; 304 for whoever has it already. */
export function sendFile(
  context: BrokerContext,
  file: KeptFile,
  more: Readonly<Record<string, string>>,
): Response {
  const headers = { "content-type": file.type, etag: file.etag, ...more };
  // A proxy that compresses may have marked it as weak, and there may be several.
  const isKnown = context.req.header("if-none-match")?.includes(file.etag) === true;
  return isKnown ? context.body(null, 304, headers) : context.body(file.bytes, 200, headers);
}
