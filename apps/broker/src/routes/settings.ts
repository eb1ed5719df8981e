import { settingsEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { visitOf } from "../http/context.ts";
import { personText, setPersonCookie } from "../http/cookies.ts";
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

export function settingsRoutes(deps: Deps, limits: CallerLimits) {
  const { show, validate, save, recheck, remove, swap, revert, preview, envFile, finish } = settingsEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, show), async (context) =>
      context.json(await settingsView(deps, context.var.session), 200),
    )
    .openapi(serveEndpoint(limits, validate), async (context) => {
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
    .openapi(serveEndpoint(limits, save), async (context) => {
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
    .openapi(serveEndpoint(limits, recheck), async (context) => {
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
    .openapi(serveEndpoint(limits, remove), async (context) => {
      const { expectedVersion } = context.req.valid("query");
      const { connector } = context.req.valid("param");
      return context.json(await removeKeys(deps, visitOf(context), connector, expectedVersion), 200);
    })
    .openapi(serveEndpoint(limits, swap), async (context) => {
      return context.json(await swapKeys(deps, visitOf(context), context.req.valid("json")), 200);
    })
    .openapi(serveEndpoint(limits, revert), async (context) => {
      const { expectedVersion } = context.req.valid("json");
      return context.json(await revertKeys(deps, visitOf(context), expectedVersion), 200);
    })
    .openapi(serveEndpoint(limits, preview), async (context) => {
      return context.json(await changePreview(deps, visitOf(context), context.req.valid("json")), 200);
    })
    .openapi(serveEndpoint(limits, envFile), async (context) => {
      const { format, profile, preview } = context.req.valid("query");
      const query = { format, profile, preview: preview === "true" };
      const text = await ownEnvFile(deps, visitOf(context), query);
      return context.body(text.reveal(), 200, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        ...(query.preview ? {} : { "content-disposition": 'attachment; filename=".env.production"' }),
      }) as never;
    })
    .openapi(serveEndpoint(limits, finish), async (context) => {
      const { expectedVersion } = context.req.valid("json");
      return context.json(await finishHandoff(deps, visitOf(context), expectedVersion), 200);
    });
}

function recoveryView({ person, recovery }: Became) {
  return { code: recovery.reveal(), createdAt: isoTime(person.createdAt) };
}
