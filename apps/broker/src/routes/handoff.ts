import { findClerkUser } from "@keyloan/connectors/clerk-session";
import { handoffEndpoints } from "@keyloan/contract";
import { bySystem } from "../change.ts";
import type { Deps } from "../deps.ts";
import { bodyOf } from "../http/body-of.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { type BrokerContext, byOf, visitOf } from "../http/context.ts";
import {
  personText,
  refuseOpenNetwork,
  sessionTexts,
  setPersonCookie,
  setSessionCookie,
} from "../http/cookies.ts";
import { refuseLater } from "../http/limit-callers.ts";
import { createWorkLimiter } from "../http/rate-limit.ts";
import { readOpener } from "../http/read-opener.ts";
import { limitRecovery } from "../http/recovery-limit.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { refuseOtherOrigins } from "../http/session.ts";
import { isoTime } from "../iso-time.ts";
import { createHandoff } from "../verbs/handoff/create-handoff.ts";
import { endSession } from "../verbs/handoff/end-session.ts";
import { openByRecovery } from "../verbs/handoff/open-by-recovery.ts";
import { openByBrowserOrUser, openByLink } from "../verbs/handoff/open-session.ts";
import type { Visitor } from "../verbs/handoff/start-session.ts";
import { browserOf } from "../verbs/person/become-person.ts";

export function handoffRoutes(deps: Deps, limits: CallerLimits) {
  const { handoff, open, leave } = handoffEndpoints;
  const limitTries = limitRecovery();
  const takeOpening = limitOpenings(deps);
  return createRouter()
    .openapi(serveEndpoint(limits, handoff), async (context) => {
      const { ttlSeconds, userRef } = bodyOf(context, handoff);
      const publicUrl = deps.config.publicUrl ?? new URL(context.req.url).origin;
      const input = { ttlSeconds, publicUrl, userRef };
      const made = await createHandoff(deps, byOf(context), context.req.valid("param").id, input);
      const answer = { url: made.url.reveal(), expiresAt: isoTime(made.expiresAt) };
      return context.json({ ...answer, ...(made.personOnly ? { personOnly: true as const } : {}) }, 201);
    })
    .openapi(serveEndpoint(limits, open), async (context) => {
      refuseOtherOrigins(context);
      refuseOpenNetwork(context);
      const opener = context.req.valid("json");
      const { requestId } = context.var;
      const visitor = visitorOf(context);
      const { clerkSessions } = deps.config;
      const findUser = async () => {
        if (clerkSessions === undefined) return undefined;
        const user = await findClerkUser(context.req.raw, clerkSessions);
        takeOpening(context, user);
        return user;
      };
      const proof = "buildId" in opener ? visitor.browser : readOpener(deps.tokens, opener);
      takeOpening(context, proof?.hash);
      const openIt = () =>
        "code" in opener
          ? openByLink(deps, opener.code, visitor, requestId)
          : "recovery" in opener
            ? limitTries(context, opener.recovery, () =>
                openByRecovery(deps, opener.recovery, visitor, requestId),
              )
            : openByBrowserOrUser(deps, opener.buildId, findUser, visitor, requestId);
      const { session, cookie, ended, personCookie } = await openIt();
      // A link's code is used up by now, and was good.
      if (proof !== undefined && !("buildId" in opener))
        deps.callers.remember(proof.hash, bySystem("handoff").actor);
      for (const buildId of ended) setSessionCookie(context, buildId, "");
      setSessionCookie(context, session.buildId, cookie.reveal());
      if (personCookie !== undefined) setPersonCookie(context, personCookie.reveal());
      const { buildId, sealingKey } = session;
      return context.json({ buildId, expiresAt: isoTime(session.expiresAt), sealingKey }, 201);
    })
    .openapi(serveEndpoint(limits, leave), async (context) => {
      const { session } = context.var;
      const browser = browserOf(deps, personText(context));
      const forget = context.req.valid("query").forget === "true";
      const { isBrowserKnown } = await endSession(deps, visitOf(context), forget, browser);
      setSessionCookie(context, session.buildId, "");
      if (forget && !isBrowserKnown) setPersonCookie(context, "");
      return context.body(null, 204);
    });
}

/** What the browser of a request brings with it. */
function visitorOf(context: BrokerContext): Visitor {
  return {
    browser: browserOf(context.var.deps, personText(context)),
    sessions: sessionTexts(context),
    address: context.var.clientAddress(),
  };
}

/**
 * Bounds how often one proof opens visits: a browser, a signed-in user, a recovery code or a link, whatever else the
 * request carries. Each visit is rows and a key pair, and would otherwise bring limits of its own.
 * @returns what takes one opening by the proof. It throws BrokerError `rate_limited`
 */
function limitOpenings({
  config,
}: Pick<Deps, "config">): (context: BrokerContext, proof: string | undefined) => void {
  // Nobody opens a page more often by hand.
  const limiter = createWorkLimiter(config, 0.5, 20);
  return (context, proof) => {
    if (proof === undefined) return;
    refuseLater(context, limiter.take(proof, context.var.deps.now()));
  };
}
