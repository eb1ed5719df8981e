import { personEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { visitOf } from "../http/context.ts";
import { personText, setPersonCookie } from "../http/cookies.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { isoTime } from "../iso-time.ts";
import { allowTokens } from "../verbs/person/allow-tokens.ts";
import { askStartOver, endStartOver } from "../verbs/person/ask-start-over.ts";
import { browserOf } from "../verbs/person/become-person.ts";
import { knownBuilds } from "../verbs/person/known-builds.ts";
import { renewRecovery } from "../verbs/person/renew-recovery.ts";

/** Whose a build's settings are. */
export function personRoutes(deps: Deps, limits: CallerLimits) {
  const { known, recovery, allow, ask, refuse } = personEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, known), async (context) =>
      context.json(await knownBuilds(deps, browserOf(deps, personText(context))), 200),
    )
    .openapi(serveEndpoint(limits, recovery), async (context) => {
      const browser = browserOf(deps, personText(context));
      const { code, createdAt, personCookie } = await renewRecovery(deps, visitOf(context), browser);
      setPersonCookie(context, personCookie.reveal());
      return context.json({ code: code.reveal(), createdAt: isoTime(createdAt) }, 201);
    })
    .openapi(serveEndpoint(limits, allow), async (context) => {
      const input = context.req.valid("json");
      return context.json(await allowTokens(deps, visitOf(context), input), 200);
    })
    .openapi(serveEndpoint(limits, ask), async (context) => {
      return context.json(await askStartOver(deps, visitOf(context), context.var.clientAddress()), 200);
    })
    .openapi(serveEndpoint(limits, refuse), async (context) => {
      return context.json(await endStartOver(deps, visitOf(context)), 200);
    });
}
