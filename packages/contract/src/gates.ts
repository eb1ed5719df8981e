/** One check before a swap, and what it found. Several results of one gate name several places. */
export type GateResult = {
  readonly gate: string;
  readonly status: "pass" | "warn" | "fail";
  readonly connector?: string;
  readonly variable?: string;
  readonly message: string;
  /** What to do; absent when the gate passed. */
  readonly remedy?: string;
};

export const gateStatuses = ["pass", "warn", "fail"] as const;
