export type KeyringErrorCode =
  | "missing"
  | "malformed_key"
  | "malformed_id"
  | "wrong_length"
  | "weak_key"
  | "duplicate_id"
  | "duplicate_key";

const reasons: Readonly<Record<KeyringErrorCode, string>> = {
  missing: "there is no root key",
  malformed_key: "the root key is not base64url without padding",
  malformed_id: "the id before the colon is not 1 to 32 letters, digits, dashes and underscores",
  wrong_length: "the root key is not 32 bytes (43 characters of base64url)",
  weak_key: "the root key is one byte repeated: a placeholder, not a key",
  duplicate_id: "two root keys have the same id",
  duplicate_key: "the same root key is listed twice",
};

const remedies: Readonly<Record<KeyringErrorCode, string>> = {
  missing: "Make one with `keyloan root-key create` and keep it where the broker reads it.",
  malformed_key: "Copy the whole line that `keyloan root-key create` printed, or make a new one with it.",
  malformed_id: "Write `<id>:<key>` or the key alone, as `keyloan root-key create` prints it.",
  wrong_length: "Copy the whole line that `keyloan root-key create` printed, or make a new one with it.",
  weak_key: "Make a random one with `keyloan root-key create`.",
  duplicate_id: "Give each key its own id; `keyloan root-key create` prints a suitable one.",
  duplicate_key: "Remove one of the two lines; `keyloan root-key create` makes a different key.",
};

/** The configured root keys cannot be used: the broker must not start. Never holds the key text. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
  readonly code: KeyringErrorCode;
  readonly line: number | undefined;
  readonly remedy: string;

  /** @param line the line of the text that has the problem, from 1 */
  constructor(code: KeyringErrorCode, line?: number) {
    const place = line === undefined ? "" : ` (line ${line})`;
    super(`Root key${place}: ${reasons[code]}. ${remedies[code]}`);
    this.code = code;
    this.line = line;
    this.remedy = remedies[code];
  }
}
