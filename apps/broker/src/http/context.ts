import type { Actor } from "@keyloan/contract";
import type { SessionRow, TokenRow } from "@keyloan/store";
import type { Context } from "hono";
import type { By } from "../audit-row.ts";
import type { ReadToken } from "../auth/tokens.ts";
import type { Deps } from "../deps.ts";
import type { Visit } from "../verbs/handoff/visit.ts";

/** What every handler finds in its context. */
export type BrokerEnv = {
  Variables: {
    deps: Deps;
    /** Always our own. */
    requestId: string;
    /** What the client calls its request. */
    clientRequestId: string | undefined;
    /** An answer like many before it, or that was told otherwise: the log need not tell it. */
    isQuiet: boolean | undefined;
    /** What the request carries, before the store was asked; strangers carry none. */
    credential: ReadToken | undefined;
    /** How many times any credential had been found to hold when the request came. */
    timesFoundBefore: number;
    /** The bucket of a build's tokens that was taken from when the credential was recognised. */
    limitedBefore: string | undefined;
    /** Where the request comes from, by the word of trusted proxies; `unknown` when that cannot be told. */
    clientAddress: () => string;
    /** Set by the authentication of the route; open routes have none, nor has a caller who is not known. */
    actor: Actor;
    /** The stored row of the caller's token; the admin has none. */
    token: TokenRow | undefined;
    /** The caller's session, on routes of the settings page alone. */
    session: SessionRow;
  };
};

export type BrokerContext = Context<BrokerEnv>;

/** Who asks, and in which request. */
export function byOf({ var: { actor, requestId } }: BrokerContext): By {
  return { actor, requestId };
}

/** The same for a visitor of the settings page. */
export function visitOf(context: BrokerContext): Visit {
  return { ...byOf(context), session: context.var.session };
}
