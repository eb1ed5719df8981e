import type { ClaimedJob } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import type { Failure, Outcome, RequiredAction } from "./outcome.ts";

/** One job that this process holds now. */
export type JobHold = {
  readonly job: ClaimedJob;
  /** Ends every call under way: the deadline has passed or the process stops. */
  readonly signal: AbortSignal;
  /** No further attempt is wanted; the call under way may end by itself. */
  readonly cancelled: AbortSignal;
};

/** How often a failed job is tried again, and how long it waits: the first wait, twice as long each time, up to most. */
export type Retry = {
  readonly firstSeconds: number;
  readonly mostSeconds: number;
  /** Runs until it is given up, of a failure that may pass by itself. */
  readonly runs: number;
  /** Runs until it is given up, of any other failure. */
  readonly refusedRuns?: number;
  /** Runs until it is given up while a run has left something behind. */
  readonly unfinishedRuns?: number;
  /** Given up when it is this old, however many runs there were. */
  readonly forSeconds?: number;
};

/** THE policy of one kind of work, and the work. */
export type JobDefinition = {
  readonly run: (deps: Deps, hold: JobHold) => Promise<Outcome>;
  /** When its signal ends it; absent: the deadline of an issue. */
  readonly deadlineSeconds?: number;
  /** It moves content of any size: when it may be what ends the process, it requires manual action. */
  readonly movesContent?: true;
  /** It only tells, or carries out what nobody can take back: it runs also while the store is not what was signed. */
  readonly whileDegraded?: true;
  readonly retry: Retry;
  /** What is done when it is given up: a person is asked, or the job has failed. */
  readonly giveUp: "fail" | GiveUp;
  /** What an error that was thrown comes to; absent or `undefined`: a provider's and ours are failures, any other
   * means that the handler broke. */
  readonly onError?: (deps: Deps, hold: JobHold, error: unknown) => Promise<Outcome | undefined>;
  /** Told when a job that a person was asked about is done. */
  readonly resolved?: (job: ClaimedJob) => string;
};

export type GiveUp = {
  readonly ask: (deps: Deps, job: ClaimedJob, failure: Failure) => Promise<RequiredAction>;
  /** It is tried every hour meanwhile. */
  readonly keepsTrying: boolean;
  /** Only of a run that has left something behind; any other has failed. */
  readonly onlyUnfinished?: true;
};

/** A kind of work with its policy; the generic keeps what is literal for the table that is printed. */
export function defineJob<const Definition extends JobDefinition>(definition: Definition): Definition {
  return definition;
}
