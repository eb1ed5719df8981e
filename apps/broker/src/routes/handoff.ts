import { findClerkUser } from "@keyloan/connectors/clerk-session";
import {
  buildIdSchema,
  createHandoffBodySchema,
  createSessionBodySchema,
  handoffSchema,
  openedSessionSchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { byOf, visitOf } from "../http/context.ts";
import { personText, refuseOpenNetwork, setPersonCookie, setSessionCookie } from "../http/cookies.ts";
import { body, json } from "../http/json-content.ts";
import { limitOpenings } from "../http/opening-limit.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { limitRecovery } from "../http/recovery-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { refuseOtherOrigins } from "../http/session.ts";
import { visitorOf } from "../http/visitor.ts";
import { isoTime } from "../iso-time.ts";
import { createHandoff } from "../verbs/handoff/create-handoff.ts";
import { endSession } from "../verbs/handoff/end-session.ts";
import { openByRecovery } from "../verbs/handoff/open-by-recovery.ts";
import { openByBrowserOrUser, openByLink } from "../verbs/handoff/open-session.ts";
import { browserOf } from "../verbs/person/become-person.ts";

const tags = ["settings"];

export function handoffRoutes(deps: Deps, limiter: RateLimiter) {
  const limitTries = limitRecovery();
  const takeOpening = limitOpenings(deps);
  const handoff = defineRoute(
    limiter,
    { admin: true, platform: "builds:write" },
    {
      method: "post",
      path: "/v1/builds/{id}/handoff",
      tags,
      summary: "Make a link to the settings page that opens once",
      request: {
        params: z.object({ id: buildIdSchema }),
        body: { ...body(createHandoffBodySchema), required: false },
      },
      responses: { 201: json("shown once", handoffSchema) },
    },
  );
  const open = defineRoute(limiter, "open", {
    method: "post",
    path: "/v1/session",
    tags,
    summary: "Open the settings page of a build: by a link's code, a recovery code, or as who is known here",
    request: { body: body(createSessionBodySchema) },
    responses: {
      201: json(
        "opened; the session itself is in a cookie that no script can read, and is named by its build",
        openedSessionSchema,
      ),
    },
  });
  const leave = defineRoute(limiter, "session", {
    method: "delete",
    path: "/v1/session",
    tags,
    summary: "End the session",
    request: {
      query: z.strictObject({
        forget: z
          .enum(["true", "false"])
          .default("false")
          .meta({ description: "`true`: this browser proves nothing for this build any more" }),
      }),
    },
    responses: { 204: { description: "ended" } },
  });
  return createRouter()
    .openapi(handoff, async (context) => {
      const { ttlSeconds, userRef } = createHandoffBodySchema.parse(context.req.valid("json") ?? {});
      const publicUrl = deps.config.publicUrl ?? new URL(context.req.url).origin;
      const input = { ttlSeconds, publicUrl, userRef };
      const made = await createHandoff(deps, byOf(context), context.req.valid("param").id, input);
      const answer = { url: made.url.reveal(), expiresAt: isoTime(made.expiresAt) };
      return context.json({ ...answer, ...(made.personOnly ? { personOnly: true as const } : {}) }, 201);
    })
    .openapi(open, async (context) => {
      refuseOtherOrigins(context);
      refuseOpenNetwork(context);
      const opener = context.req.valid("json");
      const { requestId, credential } = context.var;
      const visitor = visitorOf(context);
      const { clerkSessions } = deps.config;
      const findUser = async () => {
        if (clerkSessions === undefined) return undefined;
        const user = await findClerkUser(context.req.raw, clerkSessions);
        takeOpening(context, user);
        return user;
      };
      if ("recovery" in opener) takeOpening(context, credential?.hash);
      if ("buildId" in opener) takeOpening(context, visitor.browser?.hash);
      const opened =
        "code" in opener
          ? await openByLink(deps, opener.code, visitor, requestId)
          : "recovery" in opener
            ? await limitTries(context, opener.recovery, () =>
                openByRecovery(deps, opener.recovery, visitor, requestId),
              )
            : await openByBrowserOrUser(deps, opener.buildId, findUser, visitor, requestId);
      const { session, cookie, ended, personCookie } = opened;
      for (const buildId of ended) setSessionCookie(context, buildId, "");
      setSessionCookie(context, session.buildId, cookie.reveal());
      if (personCookie !== undefined) setPersonCookie(context, personCookie.reveal());
      const { buildId, sealingKey } = session;
      return context.json({ buildId, expiresAt: isoTime(session.expiresAt), sealingKey }, 201);
    })
    .openapi(leave, async (context) => {
      const { session } = context.var;
      const browser = browserOf(deps, personText(context));
      const forget = context.req.valid("query").forget === "true" ? browser : undefined;
      const { isBrowserKnown } = await endSession(deps, visitOf(context), forget);
      setSessionCookie(context, session.buildId, "");
      if (forget !== undefined && !isBrowserKnown) setPersonCookie(context, "");
      return context.body(null, 204);
    });
}
