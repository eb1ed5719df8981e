import type { InvalidKeyCode, UndeterminedCode } from "../../packages/contract/src/index.ts";

export type CheckMeaning = {
  /** When a check answers so. */
  readonly meaning: string;
  /** What the user does then. */
  readonly next: string;
};

/** Answers that say a key is wrong: the field to fix is named with them. */
export const invalidKeyMeanings: Readonly<Record<InvalidKeyCode, CheckMeaning>> = {
  malformed: {
    meaning:
      "A value is missing, is in the wrong field or does not have the required form; the service was not asked.",
    next: "Copy the whole value into the field that is named.",
  },
  rejected: {
    meaning: "The service does not know the key: mistyped, expired or deleted.",
    next: "Copy a current key from the service.",
  },
  lacks_permission: {
    meaning: "The service knows the key but does not let it do what the app needs.",
    next: "Give the key the permissions that are named, or make a new key that has them.",
  },
  wrong_pair: {
    meaning: "Two values belong to different accounts or projects.",
    next: "Copy both from the same page of the same account.",
  },
  wrong_mode: {
    meaning: "Test and live values are mixed, or a key has a mode that is not allowed here.",
    next: "Take all values from the same mode.",
  },
  ours: {
    meaning: "The key is one that was lent, to this build or another, or the org's own.",
    next: "Make a key in an account of your own.",
  },
};

/** Answers that say nothing of the key: what could not be asked is kept, and the switch waits. */
export const undeterminedMeanings: Readonly<Record<UndeterminedCode, CheckMeaning>> = {
  timeout: {
    meaning: "The service did not answer in time.",
    next: "Wait: the page asks again automatically, or at once with “Try now”.",
  },
  provider_down: {
    meaning: "The service cannot be reached, or its answer makes no sense.",
    next: "Check the address if you typed one; otherwise wait: the page asks again automatically.",
  },
  rate_limited: {
    meaning: "The service asks for a pause.",
    next: "Wait as long as the answer says; the page asks again automatically then.",
  },
  blocked_address: {
    meaning: "The address guard refused the address before anything was sent.",
    next: "Give the address that the message asks for; waiting does not help.",
  },
};
