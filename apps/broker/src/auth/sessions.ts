import { type Actor, limits } from "@keyloan/contract";
import { isOver, type SessionRow } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import { sessionExpired } from "./session-expired.ts";
import { type ReadToken, textsMatch } from "./tokens.ts";

/** The expiry moves with use, but not with every request: that would be a write each time. */
const touchIntervalMs = 60_000;

type SessionDeps = Pick<Deps, "store" | "now" | "tokens" | "callers">;

/**
 * The open session of a build that a cookie's text names.
 * @throws BrokerError `session_expired`
 */
export async function openSession(deps: SessionDeps, buildId: string, text: string): Promise<SessionRow> {
  const read = deps.tokens.read(text, ["session"]);
  const session = read === undefined ? undefined : await findSessionOf(deps, read);
  if (session?.buildId !== buildId) throw sessionExpired();
  const now = deps.now();
  if (now - session.lastUsedAt < touchIntervalMs) return session;
  const expiresAt = Math.min(now + limits.sessionIdleSeconds * 1000, lastMoment(session));
  await deps.store.write([session.id], (tables) => tables.sessions.touch(session.id, now, expiresAt));
  return { ...session, lastUsedAt: now, expiresAt };
}

/** The open session of a cookie, of whichever build; this is no use of it. `undefined` when it has ended. */
export async function findSessionOf(
  deps: Omit<SessionDeps, "tokens">,
  read: ReadToken,
): Promise<SessionRow | undefined> {
  const session = await deps.store.read.sessions.findByHash(read.hash);
  if (session === undefined || !textsMatch(read.hash, session.hash) || isVisitOver(session, deps.now())) {
    deps.callers.end(read);
    return undefined;
  }
  deps.callers.remember(read.hash, sessionActor(session));
  return session;
}

export const sessionActor = ({ id, buildId }: SessionRow): Actor => ({
  kind: "session",
  sessionId: id,
  buildId,
});

const lastMoment = ({ createdAt }: SessionRow) => createdAt + limits.sessionLifetimeSecondsMax * 1000;

/** The time of the beginning is proven by the row's MAC, unlike that of the end, which moves with use. */
export function isVisitOver(session: SessionRow, now: number): boolean {
  const { createdAt, lastUsedAt, expiresAt, endedAt } = session;
  const isIdle = isOver({ createdAt: lastUsedAt, expiresAt }, now);
  return endedAt !== null || isIdle || isOver({ createdAt, expiresAt: lastMoment(session) }, now);
}
