import { BrokerError, limits } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Deps } from "../deps.ts";
import { textsMatch } from "../tokens.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";

const cookieName = "keyloan_session";
/** The expiry moves with use, but not with every request: that would be a write each time. */
const touchIntervalMs = 60_000;

/**
 * Lets the session of the settings page through, and only from that page: a write needs a header that other
 * sites cannot send without asking first, which is never allowed, and must come from our own origin.
 */
export const authenticateSession: MiddlewareHandler<BrokerEnv> = async (context, next) => {
  const { deps } = context.var;
  const session = await findSession(deps, getCookie(context, cookieName));
  if (context.req.method !== "GET") refuseOtherOrigins(context);
  context.set("actor", { kind: "session", sessionId: session.id, buildId: session.buildId });
  context.set("session", session);
  context.set("token", undefined);
  await next();
};

/** Refuses a request that another site made a browser send. */
export function refuseOtherOrigins(context: BrokerContext): void {
  const origin = context.req.header("origin");
  const site = context.req.header("sec-fetch-site");
  const ours = origin === undefined || originHost(origin) === context.req.header("host");
  const named = context.req.header("x-keyloan-session") === "1";
  if (ours && named && (site === undefined || site === "same-origin")) return;
  throw new BrokerError("forbidden", "this request does not come from the settings page", {
    remedy: "Open the settings page and try again there.",
  });
}

export function setSessionCookie(context: BrokerContext, text: string): void {
  setCookie(context, cookieName, text, {
    httpOnly: true,
    sameSite: "Strict",
    path: "/v1/",
    secure: context.var.deps.config.publicUrl?.startsWith("https:") === true,
    // An empty text ends the cookie.
    maxAge: text === "" ? 0 : limits.sessionLifetimeSecondsMax,
  });
}

async function findSession(
  deps: Pick<Deps, "store" | "tokens" | "now">,
  text: string | undefined,
): Promise<SessionRow> {
  const read = deps.tokens.read(text ?? "", ["session"]);
  if (read === undefined) throw sessionExpired();
  const { hash } = read;
  const session = await deps.store.read.sessions.findByHash(hash);
  const now = deps.now();
  if (session === undefined || !textsMatch(hash, session.hash)) throw sessionExpired();
  if (session.endedAt !== null || session.expiresAt <= now) throw sessionExpired();
  if (now - session.lastUsedAt < touchIntervalMs) return session;
  const end = session.createdAt + limits.sessionLifetimeSecondsMax * 1000;
  const expiresAt = Math.min(now + limits.sessionIdleSeconds * 1000, end);
  await deps.store.write((tables) => tables.sessions.touch(session.id, now, expiresAt));
  return { ...session, lastUsedAt: now, expiresAt };
}

function sessionExpired(): BrokerError {
  return new BrokerError("session_expired", "the visit to this page has ended", {
    remedy: "Go back to the tool that sent you and open a new link. What you saved is kept.",
  });
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
