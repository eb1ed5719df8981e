import { BrokerError } from "@keyloan/contract";

/** The place where the next page starts, as opaque text. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** @throws BrokerError `invalid_input` for a text that no page gave */
export function decodeCursor(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (Array.isArray(parts)) return parts;
  } catch {
    // falls through to the one answer
  }
  throw new BrokerError("invalid_input", "this cursor is not valid", {
    remedy: "Start again without a cursor.",
  });
}
