import { limits, tokenKinds } from "@keyloan/contract";
import type { ReadToken } from "../auth/tokens.ts";
import type { BrokerContext } from "./context.ts";
import { personText, sessionTexts } from "./cookies.ts";
import { bodyInTime } from "./read-body.ts";
import { readOpener } from "./read-opener.ts";
import { chosenSession } from "./session.ts";

/** How long the body of `POST /v1/session` may be that is looked into. */
const openerBytesMax = 2_048;

/**
 * The token that a request carries, else a session's cookie, else a person's, as far as it tells by itself. `undefined`
 * for strangers: none, or none that can be ours.
 */
export function credentialOf(context: BrokerContext): ReadToken | undefined {
  const { tokens, callers } = context.var.deps;
  const bearer = bearerOf(context);
  const token = bearer === undefined ? undefined : tokens.read(bearer, tokenKinds);
  if (token !== undefined) return token;
  const sessions = sessionTextsMeant(context).map((text) => tokens.read(text, ["session"]));
  const person = tokens.read(personText(context) ?? "", ["person"]);
  const cookies = [...sessions, person].filter((read) => read !== undefined);
  // A browser keeps the cookie of a visit that has ended.
  return cookies.find(({ hash }) => !callers.hasEnded(hash)) ?? cookies[0];
}

/** Of several sessions, with none named, any is a credential; the route then asks which is meant. */
function sessionTextsMeant(context: BrokerContext): readonly string[] {
  const chosen = chosenSession(context);
  if (chosen === "ambiguous")
    return [...sessionTexts(context).values()].slice(0, limits.sessionsPerBrowserMax);
  return chosen === undefined ? [] : [chosen.text];
}

/** The text after `Bearer`. */
export function bearerOf(context: BrokerContext): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/** Whether a code may stand in the body: who has a good one is no stranger, so it is looked for before the limits. */
export function mayBringCode({ req }: BrokerContext): boolean {
  const bytes = Number(req.header("content-length") ?? Number.NaN);
  return req.method === "POST" && req.path === "/v1/session" && bytes > 0 && bytes <= openerBytesMax;
}

/**
 * The code of a link or for recovery in the body, which can hold nothing much else.
 * @throws BrokerError `malformed_request` when the body does not arrive in time
 */
export async function codeOf(context: BrokerContext, timeoutMs: number): Promise<ReadToken | undefined> {
  return readOpener(context.var.deps.tokens, parse(await bodyInTime(context, timeoutMs)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
