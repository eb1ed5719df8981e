/** One thing a key can or cannot do, with the way to mend it. */
export type Capability = {
  readonly name: string;
  readonly state: "works" | "missing" | "not_checked";
  readonly remedy?: string;
  readonly helpUrl?: string;
};

export type KeyMode = "test" | "live";

export type InvalidKeyCode =
  | "malformed"
  | "rejected"
  | "lacks_permission"
  | "wrong_pair"
  | "wrong_mode"
  | "ours";
export type UndeterminedCode = "timeout" | "provider_down" | "rate_limited" | "blocked_address";

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
      /** The field or variable to mend. */
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
