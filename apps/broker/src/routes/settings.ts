import { settingsEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { visitOf } from "../http/context.ts";
import { personText, setPersonCookie } from "../http/cookies.ts";
import { limitWork } from "../http/limit-callers.ts";
import { createWorkLimiter, type RateLimiter } from "../http/rate-limit.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { isoTime } from "../iso-time.ts";
import { type Became, browserOf } from "../verbs/person/become-person.ts";
import { changePreview } from "../verbs/settings/change-preview.ts";
import { checkKeys } from "../verbs/settings/check-keys.ts";
import { boundConnector, editableBuild } from "../verbs/settings/editable-build.ts";
import { ownEnvFile } from "../verbs/settings/env-file.ts";
import { finishHandoff } from "../verbs/settings/finish-handoff.ts";
import { openSubmittedValues } from "../verbs/settings/open-values.ts";
import { recheckKeys } from "../verbs/settings/recheck-keys.ts";
import { revertKeys } from "../verbs/settings/revert-keys.ts";
import { removeKeys, saveKeys } from "../verbs/settings/save-keys.ts";
import { swapKeys } from "../verbs/settings/swap-keys.ts";
import { settingsView } from "../verbs/settings/views.ts";

export function settingsRoutes(deps: Deps, limiter: RateLimiter) {
  const { show, validate, save, recheck, remove, swap, revert, preview, envFile, finish } = settingsEndpoints;
  // A check asks a provider, who limits us too: twenty at once for a session, then one every two seconds.
  const checks = createWorkLimiter(deps.config, 0.5, 20);
  const middleware = [limitWork(checks)];
  return createRouter()
    .openapi(serveEndpoint(limiter, show), async (context) =>
      context.json(await settingsView(deps, context.var.session), 200),
    )
    .openapi(serveEndpoint(limiter, validate, middleware), async (context) => {
      const { session } = context.var;
      const connector = boundConnector(
        deps,
        await editableBuild(deps, session),
        context.req.valid("param").connector,
      );
      const { values } = await openSubmittedValues(deps, session, context.req.valid("json").submission);
      const { check, repairs } = await checkKeys(deps, connector, values, context.req.raw.signal);
      return context.json({ check, repairs: [...repairs] }, 200);
    })
    .openapi(serveEndpoint(limiter, save, middleware), async (context) => {
      const browser = browserOf(deps, personText(context));
      const request = { signal: context.req.raw.signal, browser };
      const { connector } = context.req.valid("param");
      const input = context.req.valid("json");
      const { became, personCookie, ...saved } = await saveKeys(
        deps,
        visitOf(context),
        connector,
        input,
        request,
      );
      if (personCookie !== undefined) setPersonCookie(context, personCookie.reveal());
      const recovery = became === undefined ? {} : { recovery: recoveryView(became) };
      return context.json({ ...saved, repairs: [...saved.repairs], ...recovery }, 200);
    })
    .openapi(serveEndpoint(limiter, recheck, middleware), async (context) => {
      const { connector } = context.req.valid("param");
      const { expectedVersion } = context.req.valid("json");
      const checked = await recheckKeys(
        deps,
        visitOf(context),
        connector,
        expectedVersion,
        context.req.raw.signal,
      );
      return context.json({ ...checked, repairs: [...checked.repairs] }, 200);
    })
    .openapi(serveEndpoint(limiter, remove), async (context) => {
      const { expectedVersion } = context.req.valid("query");
      const { connector } = context.req.valid("param");
      return context.json(await removeKeys(deps, visitOf(context), connector, expectedVersion), 200);
    })
    .openapi(serveEndpoint(limiter, swap), async (context) => {
      return context.json(await swapKeys(deps, visitOf(context), context.req.valid("json")), 200);
    })
    .openapi(serveEndpoint(limiter, revert), async (context) => {
      const { expectedVersion } = context.req.valid("json");
      return context.json(await revertKeys(deps, visitOf(context), expectedVersion), 200);
    })
    .openapi(serveEndpoint(limiter, preview), async (context) => {
      return context.json(await changePreview(deps, visitOf(context), context.req.valid("json")), 200);
    })
    .openapi(serveEndpoint(limiter, envFile), async (context) => {
      const { format, profile, preview } = context.req.valid("query");
      const query = { format, profile, preview: preview === "true" };
      const text = await ownEnvFile(deps, visitOf(context), query);
      return context.body(text.reveal(), 200, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        ...(query.preview ? {} : { "content-disposition": 'attachment; filename=".env.production"' }),
      }) as never;
    })
    .openapi(serveEndpoint(limiter, finish), async (context) => {
      const { expectedVersion } = context.req.valid("json");
      return context.json(await finishHandoff(deps, visitOf(context), expectedVersion), 200);
    });
}

function recoveryView({ person, recovery }: Became) {
  return { code: recovery.reveal(), createdAt: isoTime(person.createdAt) };
}
