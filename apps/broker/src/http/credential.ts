import { tokenKinds } from "@keyloan/contract";
import type { ReadToken } from "../auth/tokens.ts";
import type { BrokerContext } from "./context.ts";
import { personText, sessionTexts } from "./cookies.ts";
import { readOpener } from "./read-opener.ts";
import { chosenSession } from "./session.ts";

/** How long the body of `POST /v1/session` may be that is looked into. */
const openerBytesMax = 2_048;

/**
 * The credential that a request carries, as far as it tells by itself: a token, else a link's code where one
 * or a recovery code is taken, else a session's cookie, else a person's. `undefined` for strangers: none, or none that can be ours.
 */
export async function credentialOf(context: BrokerContext): Promise<ReadToken | undefined> {
  const { tokens } = context.var.deps;
  const bearer = bearerOf(context);
  const token = bearer === undefined ? undefined : tokens.read(bearer, tokenKinds);
  return (
    token ??
    (await openerOf(context)) ??
    tokens.read(sessionText(context) ?? "", ["session"]) ??
    tokens.read(personText(context) ?? "", ["person"])
  );
}

/** Of several sessions, with none named, any is a credential; the route then asks which is meant. */
function sessionText(context: BrokerContext): string | undefined {
  const chosen = chosenSession(context);
  return chosen === "ambiguous" ? [...sessionTexts(context).values()][0] : chosen?.text;
}

/** The text after `Bearer`. */
export function bearerOf(context: BrokerContext): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/**
 * A link's code comes in a body, and who has a good one is no stranger: a body that can hold nothing much
 * else is read before the limits.
 */
async function openerOf(context: BrokerContext): Promise<ReadToken | undefined> {
  const { req } = context;
  if (req.method !== "POST" || req.path !== "/v1/session") return undefined;
  const bytes = Number(req.header("content-length") ?? Number.NaN);
  if (!(bytes > 0 && bytes <= openerBytesMax)) return undefined;
  return readOpener(context.var.deps.tokens, await req.json().catch(() => undefined));
}
