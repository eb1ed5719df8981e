import { BrokerError } from "@keyloan/contract";
import { type HandoffRow, isOver, type PersonRow } from "@keyloan/store";
import { buildClosed } from "../../build-closed.ts";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { findBuild } from "../builds/find-build.ts";
import { personsOf } from "../person/become-person.ts";
import { type Opener, type StartedSession, startSession, type Visitor } from "./start-session.ts";

/**
 * Exchanges a link's code for a session bound to its build. A code opens once: a second try is refused,
 * audited, and shown to the platform with the build.
 * @throws BrokerError `handoff_used`, `handoff_expired`, `person_only` or `build_closed`
 */
export async function openByLink(
  deps: Deps,
  code: string,
  visitor: Visitor,
  requestId: string,
): Promise<StartedSession> {
  const read = deps.tokens.read(code, ["handoff"]);
  const handoff = read === undefined ? undefined : await deps.store.read.handoffs.findByHash(read.hash);
  if (handoff === undefined) throw handoffExpired();
  if (handoff.usedAt !== null) return refuseSecond(deps, handoff, requestId);
  if (isOver(handoff, deps.now())) throw handoffExpired();
  await refuseClosed(deps, handoff.buildId);
  const opener = { by: "link", handoffId: handoff.id } as const;
  const opened = await startSession(deps, handoff.buildId, opener, visitor, requestId);
  return opened ?? refuseSecond(deps, handoff, requestId);
}

/** Whom the org's own app has signed in, by the id that it gives its users. */
export type FindUser = () => Promise<string | undefined>;

/**
 * Opens a build's session without a link: for a browser that has proven to be the build's person, or for a user
 * whom the org's own app has signed in. Such a user is the person, or a link that has not expired was made for
 * them: that lets them in and proves nothing.
 * @throws BrokerError `unauthenticated` when nobody is signed in or it is not configured, `forbidden` for
 * another user, `person_only`, `build_closed`
 */
export async function openByBrowserOrUser(
  deps: Deps,
  buildId: string,
  findUser: FindUser,
  visitor: Visitor,
  requestId: string,
): Promise<StartedSession> {
  const person = await deps.store.read.persons.findByBuild(buildId);
  const known = await personsOf(deps, visitor.browser);
  const opener = known.some(({ id }) => id === person?.id)
    ? ({ by: "browser" } as const)
    : await openerOfUser(deps, buildId, person, findUser);
  await refuseClosed(deps, buildId);
  const opened = await startSession(deps, buildId, opener, visitor, requestId);
  if (opened === undefined) throw handoffExpired();
  return opened;
}

async function openerOfUser(
  deps: Deps,
  buildId: string,
  person: PersonRow | undefined,
  findUser: FindUser,
): Promise<Opener> {
  const userRef = await findUser();
  if (userRef === undefined) {
    throw new BrokerError("unauthenticated", "we do not know this browser, and nobody is signed in", {
      remedy:
        "Open the link that was sent to you, enter your recovery code, or sign in to the app and try again.",
    });
  }
  const identity = `clerk:${userRef}`;
  const now = deps.now();
  const handoffs = await deps.store.read.handoffs.listByBuild(buildId);
  const isInvited = handoffs.some((handoff) => handoff.userRef === userRef && !isOver(handoff, now));
  if (isInvited || person?.identity === identity) return { by: "identity", identity };
  throw new BrokerError("forbidden", "this app was not handed to you", {
    remedy: "Go back to the tool that built it and ask for a link.",
  });
}

/** @throws BrokerError `build_closed` */
export async function refuseClosed(deps: Deps, buildId: string): Promise<void> {
  const { build } = await findBuild(deps, buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
}

async function refuseSecond(deps: Deps, handoff: HandoffRow, requestId: string): Promise<never> {
  const by = { ...bySystem("handoff"), requestId };
  const details = { handoffId: handoff.id, usedAt: handoff.usedAt };
  const entry = { ...by, action: "handoff.refused", entity: handoff.buildId, details };
  await deps.refusals.note(handoff.id, entry, async () => {
    await deps.change(by, [handoff.buildId], async (tx) => {
      await tx.handoffs.markRefused(handoff.id, deps.now());
      tx.audit(entry.action, entry.entity, details);
    });
    deps.logger.warn({ buildId: handoff.buildId, requestId }, "a handoff link was opened a second time");
  });
  throw new BrokerError("handoff_used", "this link was already opened, and it works only once", {
    remedy:
      "If you opened it, go back to the tool that sent you and open a new link. If you did not, tell the people who sent it: someone else may have it.",
  });
}

function handoffExpired(): BrokerError {
  return new BrokerError("handoff_expired", "this link has expired or was replaced by a newer one", {
    remedy: "Go back to the tool that sent you and open a new link.",
  });
}
