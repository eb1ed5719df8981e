import { type Actor, limits } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import { sessionExpired } from "./session-expired.ts";
import { textsMatch } from "./tokens.ts";

/** The expiry moves with use, but not with every request: that would be a write each time. */
const touchIntervalMs = 60_000;

/**
 * The open session of a build that a cookie's text names.
 * @throws BrokerError `session_expired`
 */
export async function openSession(
  deps: Pick<Deps, "store" | "now" | "tokens" | "callers">,
  buildId: string,
  text: string,
): Promise<SessionRow> {
  const read = deps.tokens.read(text, ["session"]);
  if (read === undefined) throw sessionExpired();
  const session = await deps.store.read.sessions.findByHash(read.hash);
  const now = deps.now();
  if (session === undefined || !textsMatch(read.hash, session.hash) || isEnded(session, now)) {
    deps.callers.end(read);
    throw sessionExpired();
  }
  if (session.buildId !== buildId) throw sessionExpired();
  deps.callers.remember(read.hash, sessionActor(session));
  if (now - session.lastUsedAt < touchIntervalMs) return session;
  const expiresAt = Math.min(now + limits.sessionIdleSeconds * 1000, lastMoment(session));
  await deps.store.write([session.id], (tables) => tables.sessions.touch(session.id, now, expiresAt));
  return { ...session, lastUsedAt: now, expiresAt };
}

export const sessionActor = ({ id, buildId }: SessionRow): Actor => ({
  kind: "session",
  sessionId: id,
  buildId,
});

const lastMoment = ({ createdAt }: SessionRow) => createdAt + limits.sessionLifetimeSecondsMax * 1000;

/** The time of the beginning is proven by the row's MAC, unlike that of the end, which moves with use. */
const isEnded = (session: SessionRow, now: number) =>
  session.endedAt !== null || session.expiresAt <= now || lastMoment(session) <= now;
