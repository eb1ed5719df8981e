import type * as z from "zod";
import type { Call, Calls } from "../calls/define-calls.ts";
import type { UserEnvKind } from "../emulator.ts";

/** A refusal. The stand-in's `errorBody` makes the provider's own body from the status and `facts`. */
export class Refused {
  readonly status: number;
  readonly facts: Readonly<Record<string, string>>;
  constructor(status: number, facts: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.facts = facts;
  }
}

/** One accepted request: its account, its key and what it sent. */
export type StandInRequest<Account, C extends Call = Call> = {
  readonly account: Account;
  /** The text of the key; empty for an open call without a key. */
  readonly key: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: C extends { readonly body: infer B extends z.ZodType } ? z.output<B> : undefined;
  readonly query: C extends { readonly query: infer Q extends z.ZodType }
    ? z.output<Q>
    : Record<string, string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The URL of the whole request, for special cases. */
  readonly url: URL;
};

type Reply = unknown;

/** What an API answers, and which keys it accepts. */
export type StandInApi<T extends Calls, Account> = {
  readonly calls: T;
  /** The texts of all keys of the account that are valid at `now`. */
  readonly keysOf: (account: Account, now: number) => readonly string[];
  /** Why a key may not make a call; `undefined` when it may. */
  readonly refuse?: (request: StandInRequest<Account>, call: Call) => Refused | undefined;
  /** The provider's own body of an answer with this status. */
  readonly errorBody: (status: number, facts: Readonly<Record<string, string>>) => unknown;
  /** The status for a wrong body or query; 400 by default. */
  readonly badRequest?: number;
  /** Calls that need no key: without a known key, they use the org's account. */
  readonly open?: readonly (keyof T)[];
  /** Whether answers to POST requests are kept under their `Idempotency-Key` and replayed. */
  readonly idempotent?: boolean;
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Each returns the answer's body, a refusal or a `Response`. The accounts are saved afterwards, except after a GET. */
  readonly answers: {
    readonly [Name in keyof T]: (request: StandInRequest<Account, T[Name]>) => Reply | Promise<Reply>;
  };
};

type EnvOf<Account> = (
  account: Account,
  another: () => Promise<Account>,
) => Record<string, string> | Promise<Record<string, string>>;

/** What is particular to one provider's stand-in; everything else follows from its table of calls. */
export type StandIn<T extends Calls, Account> = StandInApi<T, Account> & {
  readonly id: string;
  /** The schema of an account in the file that survives a restart. */
  readonly account: z.ZodType<Account>;
  /** Makes a new account. The org's account is the first, in test mode. */
  readonly createAccount: (mode: "test" | "live", of: "org" | "user") => Account | Promise<Account>;
  readonly orgFields: (account: Account) => Readonly<Record<string, string>>;
  /** The values that a user with their own account types, by kind; `another` makes one more account. */
  readonly userEnv: Partial<Readonly<Record<UserEnvKind, EnvOf<Account>>>>;
};

/** One page of items that are listed newest first: up to `limit` items after the one with the id `after`. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  limit: number,
  after: string | undefined,
): { readonly data: readonly T[]; readonly has_more: boolean } {
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  return { data: items.slice(start, start + limit), has_more: items.length > start + limit };
}

/** Removes the item with an id from a list and returns it; `undefined` if there is none. */
export function takeOut<T extends { readonly id: string }>(
  items: T[],
  id: string | undefined,
): T | undefined {
  const at = items.findIndex((item) => item.id === id);
  return at === -1 ? undefined : items.splice(at, 1)[0];
}
