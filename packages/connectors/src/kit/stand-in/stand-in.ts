import type * as z from "zod";
import type { Call, Calls } from "../calls/define-calls.ts";
import type { UserEnvKind } from "../emulator.ts";

/** An answer that is no success, in the provider's own terms; `facts` go to the stand-in's `errorBody`. */
export class Refused {
  readonly status: number;
  readonly facts: Readonly<Record<string, string>>;
  constructor(status: number, facts: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.facts = facts;
  }
}

/** One request that was let in: by which key of whose account, and what it gave. */
export type StandInRequest<Account, C extends Call = Call> = {
  readonly account: Account;
  /** The text of the key. */
  readonly key: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: C extends { readonly body: infer B extends z.ZodType } ? z.output<B> : undefined;
  readonly query: C extends { readonly query: infer Q extends z.ZodType }
    ? z.output<Q>
    : Record<string, string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of the whole request, for what is special. */
  readonly url: URL;
};

type Reply = unknown;

/** What an API answers, and to whom. */
export type StandInApi<T extends Calls, Account> = {
  readonly calls: T;
  /** The texts of all keys that the account accepts now. */
  readonly keysOf: (account: Account, now: number) => readonly string[];
  /** Why a key may not make a call; `undefined` when it may. */
  readonly refuse?: (request: StandInRequest<Account>, call: Call) => Refused | undefined;
  /** The provider's own body of an answer with this status. */
  readonly errorBody: (status: number, facts: Readonly<Record<string, string>>) => unknown;
  /** What a wrong body is answered with; 400 by default. */
  readonly badRequest?: number;
  /** Calls that need no key are asked for the org's account. */
  readonly open?: readonly (keyof T)[];
  /** Answers of writes are kept under their `Idempotency-Key`, and given again. */
  readonly idempotent?: boolean;
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Gives the answer's body, or a refusal. What it changes on the account is kept. */
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
  /** An account as it is kept over a restart. */
  readonly account: z.ZodType<Account>;
  /** A new one; the org's is the first, in test mode. */
  readonly createAccount: (mode: "test" | "live", of: "org" | "user") => Account | Promise<Account>;
  readonly orgFields: (account: Account) => Readonly<Record<string, string>>;
  /** What a user with an account of their own types, by kind; `another` makes one more account. */
  readonly userEnv: Partial<Readonly<Record<UserEnvKind, EnvOf<Account>>>>;
};

/** One page of items that are listed newest first: up to `limit` after the one of that id. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  limit: number,
  after: string | undefined,
): { readonly data: readonly T[]; readonly has_more: boolean } {
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  return { data: items.slice(start, start + limit), has_more: items.length > start + limit };
}

/** Takes the item of an id out of a list; `undefined` when there is none. */
export function takeOut<T extends { readonly id: string }>(
  items: T[],
  id: string | undefined,
): T | undefined {
  const at = items.findIndex((item) => item.id === id);
  return at === -1 ? undefined : items.splice(at, 1)[0];
}
