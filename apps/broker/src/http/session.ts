import { BrokerError } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import { sessionExpired } from "../auth/session-expired.ts";
import { openSession, sessionActor } from "../auth/sessions.ts";
import { mayWrite, personOnly, standingOf } from "../verbs/person/standing.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { sessionTexts } from "./cookies.ts";

/**
 * Lets the session of the settings page through, and only from that page: a write needs a header that other
 * sites cannot send without asking first, which is never allowed, and must come from our own origin. A read may come
 * from nowhere else either: a download counts and is audited as the person's, whoever made their browser ask. With
 * `person` it must also have proven to be the person of its build, or nobody is that yet.
 */
export function authenticateSession(access: "session" | "person"): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const session = await findSession(context);
    context.set("actor", sessionActor(session));
    context.set("session", session);
    context.set("token", undefined);
    if (context.req.method === "GET") refuseOtherSites(context);
    else refuseOtherOrigins(context);
    if (access === "person") {
      const { standing } = await standingOf(context.var.deps.store.read, session);
      if (!mayWrite(standing)) throw personOnly(standing);
    }
    await next();
  };
}

/** Refuses a request that another site made a browser send. */
export function refuseOtherOrigins(context: BrokerContext): void {
  const origin = context.req.header("origin");
  const site = context.req.header("sec-fetch-site");
  const ours = origin === undefined || originHost(origin) === context.req.header("host");
  const named = context.req.header("x-keyloan-session") === "1";
  if (ours && named && (site === undefined || site === "same-origin")) return;
  throw notFromPage();
}

/** A neighbour of our host is of the same site, so its pages have browsers send our cookies. */
function refuseOtherSites(context: BrokerContext): void {
  const site = context.req.header("sec-fetch-site");
  if (site === undefined || site === "same-origin" || site === "none") return;
  throw notFromPage();
}

function notFromPage(): BrokerError {
  return new BrokerError("forbidden", "this request does not come from the settings page", {
    remedy: "Open the settings page and try again there.",
  });
}

type Chosen = { readonly buildId: string; readonly text: string };

/**
 * The session that a request is for, of those its browser has: the build is named in a header, so that pages of
 * two builds can stand open beside each other. `ambiguous` when none is named and there are several.
 */
export function chosenSession(context: BrokerContext): Chosen | "ambiguous" | undefined {
  const texts = sessionTexts(context);
  // A download is followed as a link, which has no headers.
  const named = context.req.header("x-keyloan-build") ?? context.req.query("build");
  if (named === undefined && texts.size > 1) return "ambiguous";
  const buildId = named ?? [...texts.keys()][0];
  const text = buildId === undefined ? undefined : texts.get(buildId);
  return buildId === undefined || text === undefined ? undefined : { buildId, text };
}

/** @throws BrokerError `session_expired`; `invalid_input` when it is not clear which build is meant */
export async function findSession(context: BrokerContext): Promise<SessionRow> {
  const { deps } = context.var;
  const chosen = chosenSession(context);
  if (chosen === "ambiguous") {
    throw new BrokerError("invalid_input", "this browser has pages of several apps open", {
      remedy: "Send the header `x-keyloan-build` with the id of the build that you mean.",
    });
  }
  if (chosen === undefined) throw sessionExpired();
  return openSession(deps, chosen.buildId, chosen.text);
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
