import {
  allowTokensBodySchema,
  knownBuildsSchema,
  recoveryCodeSchema,
  settingsSchema,
} from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { visitOf } from "../http/context.ts";
import { personText, setPersonCookie } from "../http/cookies.ts";
import { body, json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { isoTime } from "../iso-time.ts";
import { allowTokens } from "../verbs/person/allow-tokens.ts";
import { askStartOver, endStartOver } from "../verbs/person/ask-start-over.ts";
import { browserOf } from "../verbs/person/become-person.ts";
import { knownBuilds } from "../verbs/person/known-builds.ts";
import { renewRecovery } from "../verbs/person/renew-recovery.ts";

const tags = ["settings"];

/** Whose a build's settings are. */
export function personRoutes(deps: Deps, limiter: RateLimiter) {
  const known = defineRoute(limiter, "open", {
    method: "get",
    path: "/v1/person",
    tags,
    summary: "The builds that this browser can open without a link",
    responses: { 200: json("by its cookie", knownBuildsSchema) },
  });
  const recovery = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/recovery",
    tags,
    summary: "Make a new recovery code; the old one ends",
    responses: { 201: json("shown once", recoveryCodeSchema) },
  });
  const allow = defineRoute(limiter, "person", {
    method: "put",
    path: "/v1/settings/tokens-may",
    tags,
    summary: "What the platform's tokens may do with the user's own values",
    request: { body: body(allowTokensBodySchema) },
    responses: { 200: json("the settings", settingsSchema) },
  });
  const ask = defineRoute(limiter, "session", {
    method: "post",
    path: "/v1/settings/start-over",
    tags,
    summary: "Ask to replace the person who saved keys here, for who lost every proof of being that person",
    responses: { 200: json("the settings", settingsSchema) },
  });
  const refuse = defineRoute(limiter, "session", {
    method: "delete",
    path: "/v1/settings/start-over",
    tags,
    summary: "Refuse that somebody starts over, as the person; or withdraw it, as who asked",
    responses: { 200: json("the settings", settingsSchema) },
  });
  return createRouter()
    .openapi(known, async (context) =>
      context.json(await knownBuilds(deps, browserOf(deps, personText(context))), 200),
    )
    .openapi(recovery, async (context) => {
      const browser = browserOf(deps, personText(context));
      const { code, createdAt, personCookie } = await renewRecovery(deps, visitOf(context), browser);
      if (personCookie !== undefined) setPersonCookie(context, personCookie.reveal());
      return context.json({ code: code.reveal(), createdAt: isoTime(createdAt) }, 201);
    })
    .openapi(allow, async (context) => {
      const input = context.req.valid("json");
      return context.json(await allowTokens(deps, visitOf(context), input), 200);
    })
    .openapi(ask, async (context) => {
      return context.json(await askStartOver(deps, visitOf(context), context.var.clientAddress()), 200);
    })
    .openapi(refuse, async (context) => {
      return context.json(await endStartOver(deps, visitOf(context)), 200);
    });
}
