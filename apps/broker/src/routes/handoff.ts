import {
  buildIdSchema,
  createHandoffBodySchema,
  createSessionBodySchema,
  handoffSchema,
  sessionSchema,
} from "@keyloan/contract";
import * as z from "zod";
import { body, json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { refuseOtherOrigins, setSessionCookie } from "../http/session.ts";
import type { Services } from "../services.ts";
import { isoTime } from "../verbs/builds/views.ts";
import { createHandoff } from "../verbs/handoff/create-handoff.ts";
import { endSession } from "../verbs/handoff/end-session.ts";
import { openSession, openSessionForUser } from "../verbs/handoff/open-session.ts";

const tags = ["settings"];

export function handoffRoutes(services: Services, limiter: RateLimiter) {
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
    summary: "Exchange a link's code for a session of the settings page",
    request: { body: body(createSessionBodySchema) },
    responses: {
      201: json("opened; the session itself is in a cookie that no script can read", sessionSchema),
    },
  });
  const leave = defineRoute(limiter, "session", {
    method: "delete",
    path: "/v1/session",
    tags,
    summary: "End the session",
    responses: { 204: { description: "ended" } },
  });
  return createRouter()
    .openapi(handoff, async (context) => {
      const { actor, requestId } = context.var;
      const { ttlSeconds, userRef } = createHandoffBodySchema.parse(context.req.valid("json") ?? {});
      const publicUrl = services.config.publicUrl ?? new URL(context.req.url).origin;
      const input = { ttlSeconds, publicUrl, userRef };
      const made = await createHandoff(services, actor, context.req.valid("param").id, input, requestId);
      return context.json({ url: made.url.reveal(), expiresAt: isoTime(made.expiresAt) }, 201);
    })
    .openapi(open, async (context) => {
      refuseOtherOrigins(context);
      const opener = context.req.valid("json");
      const { requestId } = context.var;
      const { session, cookie } =
        "code" in opener
          ? await openSession(services, opener.code, requestId)
          : await openSessionForUser(services, opener.buildId, context.req.raw, requestId);
      setSessionCookie(context, cookie.reveal());
      return context.json({ expiresAt: isoTime(session.expiresAt), sealingKey: session.sealingKey }, 201);
    })
    .openapi(leave, async (context) => {
      await endSession(services, context.var.session, context.var.requestId);
      setSessionCookie(context, "");
      return context.body(null, 204);
    });
}
