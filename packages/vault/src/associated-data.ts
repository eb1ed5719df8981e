import { VaultError } from "./vault-error.ts";

const partLengthMax = 512;

/**
 * The bytes that a sealed text is bound to: every part as `<length in UTF-8 bytes>:<part>,`, one after the other.
 * Two different lists of parts never give the same bytes.
 * @throws VaultError `bad_context` for a part that is empty, longer than 512 characters, or not well-formed text
 */
export function associatedData(...parts: readonly string[]): Uint8Array {
  let text = "";
  for (const part of parts) {
    if (part.length === 0 || part.length > partLengthMax) throw new VaultError("bad_context");
    text += `${part.length}:${part},`;
  }
  const bytes = Buffer.from(text);
  // As many bytes as characters means that all are ASCII, as in ids, so the lengths above are right.
  return bytes.length === text.length ? bytes : beyondAscii(parts);
}

function beyondAscii(parts: readonly string[]): Uint8Array {
  if (!parts.every((part) => part.isWellFormed())) throw new VaultError("bad_context");
  return Buffer.from(parts.map((part) => `${Buffer.byteLength(part)}:${part},`).join(""));
}
