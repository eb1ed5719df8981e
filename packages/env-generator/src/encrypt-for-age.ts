/** The text given is not an age recipient. The error says what to give instead, and never contains the text. */
export class AgeRecipientError extends Error {
  override readonly name = "AgeRecipientError";
  readonly code = "bad_age_recipient";
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/**
 * Encrypts text to one age recipient (C2SP, "The age file encryption format"), armored, so that only the
 * holder of the identity can read it: `age --decrypt --identity key.txt`. The library is loaded when needed.
 * @param recipient `age1…`, as `age-keygen` prints it
 * @throws AgeRecipientError if it is not an age recipient
 */
export async function encryptForAge(text: string, recipient: string): Promise<string> {
  const trimmed = recipient.trim();
  refuseOthers(trimmed);
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(trimmed);
  } catch {
    throw new AgeRecipientError(
      "The age recipient is mistyped: its checksum is wrong.",
      "Copy the whole recipient from the line that age-keygen printed.",
    );
  }
  return `${armor.encode(await encrypter.encrypt(text)).trimEnd()}\n`;
}

function refuseOthers(recipient: string): void {
  if (/^age1[a-z0-9]+$/.test(recipient)) return;
  if (/^AGE-SECRET-KEY-/i.test(recipient)) {
    throw new AgeRecipientError(
      "This is a secret age identity, not a recipient.",
      "Use the public key that starts with age1 in the same file (age-keygen -y prints it), and make a new identity if others have seen this one.",
    );
  }
  if (/^ssh-/.test(recipient)) {
    throw new AgeRecipientError(
      "SSH keys cannot be used as age recipients here.",
      "Make a key with age-keygen and use the line that starts with age1.",
    );
  }
  throw new AgeRecipientError(
    "This is not an age recipient: a recipient is lower-case letters and digits that start with age1.",
    "Make a key with age-keygen and use the line that starts with age1.",
  );
}
