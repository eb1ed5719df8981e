import {
  changeSettingsBodySchema,
  envFileQuerySchema,
  previewBodySchema,
  savedAnswerSchema,
  saveKeysBodySchema,
  settingsSchema,
  swapBodySchema,
  swapResultSchema,
  validateKeysBodySchema,
  validateKeysSchema,
} from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { visitOf } from "../http/context.ts";
import { personText, setPersonCookie } from "../http/cookies.ts";
import { body, json } from "../http/json-content.ts";
import { limitWork } from "../http/limit-callers.ts";
import { createRateLimiter, type RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
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

const tags = ["settings"];
const connectorParams = z.object({ connector: z.string().max(64) });

export function settingsRoutes(deps: Deps, limiter: RateLimiter) {
  // A check asks a provider, who limits us too: twenty at once for a session, then one every two seconds.
  const checks = createRateLimiter(deps.config.rateLimitPerSecond === 0 ? 0 : 0.5, 20);
  const middleware = [limitWork(checks)];
  const show = defineRoute(limiter, "session", {
    method: "get",
    path: "/v1/settings",
    tags,
    summary: "Whose keys the app uses, and masked what was saved",
    responses: { 200: json("the settings", settingsSchema) },
  });
  const validate = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/keys/{connector}/validate",
    tags,
    summary: "Check values at the provider; nothing is stored",
    middleware,
    request: { params: connectorParams, body: body(validateKeysBodySchema) },
    responses: { 200: json("what was found", validateKeysSchema) },
  });
  const save = defineRoute(limiter, "person", {
    method: "put",
    path: "/v1/settings/keys/{connector}",
    tags,
    summary: "Check values and seal them",
    middleware,
    request: { params: connectorParams, body: body(saveKeysBodySchema) },
    responses: { 200: json("saved", savedAnswerSchema) },
  });
  const recheck = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/keys/{connector}/recheck",
    tags,
    summary: "Check saved values at the provider again and keep the answer",
    middleware,
    request: { params: connectorParams, body: body(changeSettingsBodySchema) },
    responses: { 200: json("what was found now", savedAnswerSchema) },
  });
  const remove = defineRoute(limiter, "person", {
    method: "delete",
    path: "/v1/settings/keys/{connector}",
    tags,
    summary: "Forget values that are not in use",
    request: {
      params: connectorParams,
      query: z.strictObject({ expectedVersion: z.coerce.number().int().min(0) }),
    },
    responses: { 200: json("the settings", settingsSchema) },
  });
  const swap = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/swap",
    tags,
    summary: "Let the app use the user's own keys; with `dryRun` only ask the gates",
    request: { body: body(swapBodySchema) },
    responses: { 200: json("what the gates found, and the settings", swapResultSchema) },
  });
  const revert = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/revert",
    tags,
    summary: "Let the app use the lent keys again, within the window",
    request: { body: body(changeSettingsBodySchema) },
    responses: { 200: json("the settings", settingsSchema) },
  });
  const preview = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/preview",
    tags,
    summary: "Change which of the user's own values the build's env may hold",
    request: { body: body(previewBodySchema) },
    responses: { 200: json("the settings", settingsSchema) },
  });
  const envFile = defineRoute(limiter, "person", {
    method: "get",
    path: "/v1/settings/env-file",
    tags,
    summary: "Download the user's own env file, or a preview that hides values",
    request: { query: envFileQuerySchema },
    responses: { 200: { description: "the file", content: { "text/plain": { schema: z.string() } } } },
  });
  const finish = defineRoute(limiter, "person", {
    method: "post",
    path: "/v1/settings/finish",
    tags,
    summary: "End the handoff: the build's tokens die, and what was lent ends with the window",
    request: { body: body(changeSettingsBodySchema) },
    responses: { 200: json("the settings", settingsSchema) },
  });
  return createRouter()
    .openapi(show, async (context) => context.json(await settingsView(deps, context.var.session), 200))
    .openapi(validate, async (context) => {
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
    .openapi(save, async (context) => {
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
    .openapi(recheck, async (context) => {
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
    .openapi(remove, async (context) => {
      const { expectedVersion } = context.req.valid("query");
      const { connector } = context.req.valid("param");
      return context.json(await removeKeys(deps, visitOf(context), connector, expectedVersion), 200);
    })
    .openapi(swap, async (context) => {
      return context.json(await swapKeys(deps, visitOf(context), context.req.valid("json")), 200);
    })
    .openapi(revert, async (context) => {
      const { expectedVersion } = context.req.valid("json");
      return context.json(await revertKeys(deps, visitOf(context), expectedVersion), 200);
    })
    .openapi(preview, async (context) => {
      return context.json(await changePreview(deps, visitOf(context), context.req.valid("json")), 200);
    })
    .openapi(envFile, async (context) => {
      const { format, profile, preview } = context.req.valid("query");
      const query = { format, profile, preview: preview === "true" };
      const text = await ownEnvFile(deps, visitOf(context), query);
      return context.body(text.reveal(), 200, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        ...(query.preview ? {} : { "content-disposition": 'attachment; filename=".env.production"' }),
      }) as never;
    })
    .openapi(finish, async (context) => {
      const { expectedVersion } = context.req.valid("json");
      return context.json(await finishHandoff(deps, visitOf(context), expectedVersion), 200);
    });
}

function recoveryView({ person, recovery }: Became) {
  return { code: recovery.reveal(), createdAt: isoTime(person.createdAt) };
}
