import { createHash, randomBytes } from "node:crypto";
import type { Command } from "../shell/command.ts";
import { note, printJson } from "../shell/output.ts";

/** Makes a root key in the format that the broker reads from KEYLOAN_ROOT_KEY or its key file. */
export const command: Command = {
  usage: "root-key create",
  summary: "Make a new root key. It works offline and keeps no copy.",
  notes: [
    "It prints one line, <key id>:<32 random bytes as base64url>. Give it to the broker as KEYLOAN_ROOT_KEY, or as a line of its key file. Anyone who has it can open every stored value; without it, nobody can.",
    "To rotate: put the new line before the old one, restart the broker, run keyloan root-key rotate, then remove the old line.",
  ],
  examples: ["(umask 077; keyloan root-key create > root.key)"],
  run: ({ io, json }) => {
    const key = randomBytes(32);
    const keyId = rootKeyId(key);
    const line = `${keyId}:${key.toString("base64url")}`;
    if (json) printJson(io, { keyId, rootKey: line });
    else io.out(`${line}\n`);
    if (!json && io.stderrIsTerminal()) {
      note(io, "Keep it safe and separate from the database: without it, everything sealed is lost.");
    }
    return 0;
  },
};

/**
 * The id of a root key: `rk-` and the first 16 hexadecimal digits of the SHA-256 of the text
 * `keyloan/root-key-id/v1` followed by the key. It tells keys apart and tells nothing of the key.
 */
export function rootKeyId(key: Uint8Array): string {
  return `rk-${createHash("sha256").update("keyloan/root-key-id/v1").update(key).digest("hex").slice(0, 16)}`;
}
