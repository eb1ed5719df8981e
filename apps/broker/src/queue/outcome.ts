import type { BrokerError, ProviderError } from "@keyloan/contract";
import type { StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../change.ts";

/** Why a run failed, as it is kept and shown. */
export type Failure = StoredLeaseError & {
  readonly retryAfterSeconds?: number;
  /** The run left something behind that only another run takes away. */
  readonly isUnfinished?: boolean;
};

/** What becomes of a job whose run failed: tried again, not let through this time, or given up. */
export type Verdict = "again" | "postponed" | "gave_up";

/** What a person has to do, and what else may be done meanwhile. */
export type RequiredAction = {
  /** What happened, in one sentence; no value and nothing of a provider's words. */
  readonly message: string;
  readonly steps: readonly { readonly text: string; readonly url?: string }[];
  /** Variables that a person may supply instead; absent: none. */
  readonly variables?: readonly string[];
};

/** How a run ended. It is settled by the queue, under the hold, in one transaction with what it records. */
export type Outcome =
  | {
      readonly kind: "done";
      readonly record: (tx: Unit) => Promise<unknown>;
      readonly undo: ((why: unknown) => Promise<void>) | undefined;
    }
  | {
      readonly kind: "again";
      readonly at: number;
      readonly why: string;
      readonly record: (tx: Unit) => Promise<unknown>;
    }
  | {
      readonly kind: "failed";
      readonly error: ProviderError | BrokerError | Failure;
      readonly record: RecordFailure;
    }
  | { readonly kind: "requires_action"; readonly action: RequiredAction; readonly why: string };

/** What is written with a failure: it is given what is kept and shown of it. */
export type RecordFailure = (tx: Unit, error: StoredLeaseError, verdict: Verdict) => Promise<unknown>;

const nothing = async (): Promise<void> => undefined;

/**
 * The job is done.
 * @param record what is written with its end; `false` says that it is not wanted any more
 * @param undo takes back what could not be recorded: because it was not wanted, another worker has the job, or the
 * writing threw, which it is given
 */
export function done(
  record: (tx: Unit) => Promise<unknown> = nothing,
  undo?: (why: unknown) => Promise<void>,
): Outcome {
  return { kind: "done", record, undo };
}

/** The job goes on at that time, in milliseconds since the epoch; the run counts as no attempt. */
export function again(at: number, why: string, record: (tx: Unit) => Promise<unknown> = nothing): Outcome {
  return { kind: "again", at, why, record };
}

/**
 * The run failed: the job's policy says what becomes of it. To throw is the same without a record.
 * @param record what is written with that
 */
export function failed(
  error: ProviderError | BrokerError | Failure,
  record: RecordFailure = nothing,
): Outcome {
  return { kind: "failed", error, record };
}

/** Only a person can go on; the job still looks by itself every hour whether they have. */
export function requiresAction(action: RequiredAction, why: string): Outcome {
  return { kind: "requires_action", action, why };
}
