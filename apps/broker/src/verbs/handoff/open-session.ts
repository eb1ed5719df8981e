import { findClerkUser } from "@keyloan/connectors/clerk-session";
import { BrokerError, limits, newId, type Secret } from "@keyloan/contract";
import type { HandoffRow, SessionRow } from "@keyloan/store";
import { closeDataKey, createSubmissionKeyPair, openDataKey, sealValue } from "@keyloan/vault";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { buildClosed, findBuild } from "../builds/find-build.ts";

/**
 * Exchanges a link's code for a session bound to its build. A code opens once: a second try is refused,
 * audited, and shown to the platform with the build.
 * @throws BrokerError `handoff_used`, `handoff_expired` or `build_closed`
 */
export async function openSession(
  deps: Deps,
  code: string,
  requestId: string,
): Promise<{ readonly session: SessionRow; readonly cookie: Secret }> {
  const read = deps.tokens.read(code, ["handoff"]);
  const handoff = read === undefined ? undefined : await deps.store.read.handoffs.findByHash(read.hash);
  if (handoff === undefined) throw handoffExpired();
  if (handoff.usedAt !== null) return refuseSecond(deps, handoff, requestId);
  if (handoff.expiresAt <= deps.now()) throw handoffExpired();
  const { build } = await findBuild(deps, handoff.buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  const opened = await startSession(deps, handoff.buildId, requestId, { handoffId: handoff.id });
  return opened ?? refuseSecond(deps, handoff, requestId);
}

/**
 * Opens a build's session for a user whom the org's own app has signed in, if a link that has not expired was
 * made for them.
 * @throws BrokerError `unauthenticated` when nobody is signed in or it is not configured, `forbidden` for
 * another user, `build_closed`
 */
export async function openSessionForUser(
  deps: Deps,
  buildId: string,
  request: Request,
  requestId: string,
): Promise<{ readonly session: SessionRow; readonly cookie: Secret }> {
  const { clerkSessions } = deps.config;
  const userRef = clerkSessions === undefined ? undefined : await findClerkUser(request, clerkSessions);
  if (userRef === undefined) {
    throw new BrokerError("unauthenticated", "you are not signed in to the app this page belongs to", {
      remedy: "Sign in there and try again, or open the link you were sent.",
    });
  }
  const now = deps.now();
  const handoffs = await deps.store.read.handoffs.listByBuild(buildId);
  if (!handoffs.some((handoff) => handoff.userRef === userRef && handoff.expiresAt > now)) {
    throw new BrokerError("forbidden", "this app was not handed to you", {
      remedy: "Go back to the tool that built it and ask for a link.",
    });
  }
  const { build } = await findBuild(deps, buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  const opened = await startSession(deps, buildId, requestId, { userRef });
  if (opened === undefined) throw handoffExpired();
  return opened;
}

/** A session for a build; `undefined` when its link was used meanwhile. */
export async function startSession(
  deps: Deps,
  buildId: string,
  requestId: string,
  opener: { readonly handoffId: string } | { readonly userRef: string },
): Promise<{ session: SessionRow; cookie: Secret } | undefined> {
  const { token, hash } = deps.tokens.make("session");
  const pair = createSubmissionKeyPair();
  const now = deps.now();
  const id = newId("session", deps.randomBytes);
  return deps.store.write(async (tables) => {
    const dataKey = await tables.dataKeys.findByOwner(buildId);
    if (dataKey === undefined) throw buildClosed("closed");
    if ("handoffId" in opener && !(await tables.handoffs.markUsed(opener.handoffId, now))) return undefined;
    const key = openDataKey(deps.keyring, dataKey);
    const session: SessionRow = {
      id,
      buildId,
      hash,
      sealingKey: pair.publicKey,
      openingKey: sealValue(key, sessionKeyContext(buildId, id), pair.privateKey),
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + limits.sessionIdleSeconds * 1000,
      endedAt: null,
      openedBy: "handoffId" in opener ? "link" : "identity",
      identity: null,
      personId: null,
      address: null,
    };
    closeDataKey(key);
    await tables.sessions.insert(session);
    const actor = { kind: "session", sessionId: id, buildId } as const;
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "session.opened", entity: buildId, details: opener, requestId }),
    ]);
    return { session, cookie: token };
  });
}

/** What the private key of a session is bound to. */
export function sessionKeyContext(buildId: string, sessionId: string) {
  return { purpose: "session-key", ownerId: buildId, field: sessionId };
}

async function refuseSecond(deps: Deps, handoff: HandoffRow, requestId: string): Promise<never> {
  const at = deps.now();
  await deps.store.write(async (tables) => {
    await tables.handoffs.markRefused(handoff.id, at);
    const actor = { kind: "system", part: "handoff" } as const;
    const details = { handoffId: handoff.id, usedAt: handoff.usedAt };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "handoff.refused", entity: handoff.buildId, details, requestId }),
    ]);
  });
  deps.logger.warn({ buildId: handoff.buildId, requestId }, "a handoff link was opened a second time");
  throw new BrokerError("handoff_used", "this link was opened before, and it works once", {
    remedy:
      "If that was you, go back to the tool that sent you and open a new link. If it was not, tell them: someone else may have it.",
  });
}

function handoffExpired(): BrokerError {
  return new BrokerError("handoff_expired", "this link has expired or was replaced by a newer one", {
    remedy: "Go back to the tool that sent you and open a new link.",
  });
}
