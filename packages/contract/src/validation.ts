/** One thing a key can or cannot do, with the way to fix it. */
export type Capability = {
  readonly name: string;
  readonly state: "works" | "missing" | "not_checked";
  readonly remedy?: string;
  readonly helpUrl?: string;
};

export const keyModes = ["test", "live"] as const;
export type KeyMode = (typeof keyModes)[number];

export const invalidKeyCodes = [
  "malformed",
  "rejected",
  "lacks_permission",
  "wrong_pair",
  "wrong_mode",
  "ours",
] as const;
export type InvalidKeyCode = (typeof invalidKeyCodes)[number];

export const undeterminedCodes = ["timeout", "provider_down", "rate_limited", "blocked_address"] as const;
export type UndeterminedCode = (typeof undeterminedCodes)[number];

/** The answer of a validator. A network failure is never `invalid`. */
export type ValidationResult =
  | {
      readonly status: "valid";
      readonly account?: string;
      readonly mode?: KeyMode;
      readonly capabilities: readonly Capability[];
      readonly warnings: readonly string[];
    }
  | {
      readonly status: "invalid";
      /** The field or variable to fix. */
      readonly envVar: string;
      readonly code: InvalidKeyCode;
      readonly message: string;
      readonly remedy: string;
    }
  | {
      readonly status: "undetermined";
      readonly code: UndeterminedCode;
      readonly message: string;
      readonly retryAfterSeconds?: number;
    };
