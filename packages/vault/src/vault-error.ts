export type VaultErrorCode =
  | "bad_context"
  | "wrong_owner"
  | "too_large"
  | "not_text"
  | "malformed"
  | "unsupported_version"
  | "wrong_data_key"
  | "unknown_root_key"
  | "cannot_open"
  | "key_closed";

const meanings: Readonly<Record<VaultErrorCode, readonly [message: string, remedy: string]>> = {
  bad_context: [
    "The purpose, owner id, field name or data key id is empty, too long or not well-formed text.",
    "Pass the ids and names of the stored row.",
  ],
  wrong_owner: [
    "The data key belongs to a different owner than the value.",
    "Open the data key of the owner that the row names.",
  ],
  too_large: ["The value is larger than the vault accepts.", "Store values of 1 MiB at most."],
  not_text: [
    "The value holds half of a surrogate pair, so it has no UTF-8 form.",
    "Pass well-formed text, or seal bytes.",
  ],
  malformed: [
    "Keyloan did not write this sealed text: it is cut off or altered.",
    "Restore the row from a backup, or issue or set the value again.",
  ],
  unsupported_version: [
    "The sealed text has a version that this program does not know.",
    "Run the Keyloan version that wrote it, or a newer one.",
  ],
  wrong_data_key: [
    "The value was sealed with a different data key.",
    "Open the data key whose id is in the sealed text.",
  ],
  unknown_root_key: [
    "The data key is wrapped under a root key that is not in the keyring.",
    "Add the old root key to the keyring, below the current one.",
  ],
  cannot_open: [
    "The sealed text cannot be opened: its key, owner, purpose or field differs, or it was altered.",
    "Check that the keyring is the one that the row was written with; otherwise restore the row, or issue or set the value again.",
  ],
  key_closed: ["The data key was closed and its bytes erased.", "Open the data key again."],
};

/** The vault refused something. The code, of a closed list, says why. Never holds plaintext, a key or ciphertext. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  readonly remedy: string;

  constructor(code: VaultErrorCode) {
    const [message, remedy] = meanings[code];
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}
