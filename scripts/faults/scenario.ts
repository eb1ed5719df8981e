import type { Run } from "./run.ts";

/** What a client does, killed in the middle once at every await. */
export type Scenario = {
  readonly name: string;
  /** Before the process can be killed. Gives what `act` and `expect` need. */
  readonly setUp: (run: Run) => Promise<Facts>;
  /** May be done again after the crash, as a client would whose answer never came. */
  readonly act: (run: Run, facts: Facts) => Promise<void>;
  /** Throws, with what is wrong, unless everything is where it should be. */
  readonly expect: (run: Run, facts: Facts) => Promise<void>;
};

/** What a scenario keeps between its steps. */
export type Facts = {
  readonly buildId: string;
  /** For one request that must be the same again. */
  readonly key: string;
  readonly values: Record<string, string>;
  /** The settings page's cookie and session header. */
  readonly page?: Readonly<Record<string, string>>;
};

/** @throws Error with the reason unless the condition holds */
export function must(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Error(reason);
}

/** @throws Error with the answer unless its status is one of those */
export function mustAnswer(
  answer: { readonly status: number; readonly body: unknown },
  statuses: readonly number[],
  what: string,
): void {
  must(statuses.includes(answer.status), `${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
}
