import { randomUUID } from "node:crypto";
import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";
import { errorJson, errorWords } from "./emulator-access.ts";
import type { TursoRoutes } from "./emulator-routes.ts";
import type { TursoState } from "./emulator-state.ts";

const newTokenSchema = z.object({
  organization: z.string(),
  group: z.string(),
  scopes: z.array(z.string()).min(1),
});

/** Tokens, locations and organizations (Turso Platform API). */
export function addAccountRoutes({ app, state, access }: TursoRoutes): void {
  const { organization, groups } = state.value;
  app.get("/v1/auth/validate", (context) => context.json({ exp: -1 }));

  app.post("/v1/auth/api-tokens/:name", async (context) => {
    const body = newTokenSchema.safeParse(await context.req.json().catch(() => undefined));
    if (access.tokenOf(context).scopes !== null) return errorJson(context, 403, errorWords(403));
    if (!body.success || body.data.organization !== organization)
      return errorJson(context, 400, errorWords(400));
    const { group, scopes } = body.data;
    if (!groups.some(({ name }) => name === group)) return errorJson(context, 400, "group not found");
    const made = { id: randomUUID(), name: context.req.param("name"), token: randomText(64), group, scopes };
    state.value.tokens.push(made);
    await state.save();
    return context.json({ name: made.name, id: made.id, token: made.token });
  });

  const tokensPath = "/v1/organizations/:organization/api-tokens";
  app.get(tokensPath, (context) => {
    if (access.tokenOf(context).scopes !== null) return errorJson(context, 403, errorWords(403));
    return context.json({ tokens: state.value.tokens.map(({ token: _, ...shown }) => shown) });
  });

  app.delete(`${tokensPath}/:id`, async (context) => {
    if (access.tokenOf(context).scopes !== null) return errorJson(context, 403, errorWords(403));
    const { tokens } = state.value;
    const at = tokens.findIndex(({ id }) => id === context.req.param("id"));
    if (at < 0) return errorJson(context, 404, "token not found");
    const [ended] = tokens.splice(at, 1);
    await state.save();
    return context.json({ token: ended?.id });
  });

  app.get("/v1/locations", (context) =>
    context.json({ locations: { "aws-us-east-1": "AWS US East (Virginia)" } }),
  );

  app.get("/v1/organizations", (context) => {
    const limits = { overages: false, blocked_reads: false, blocked_writes: false };
    return context.json([{ name: organization, slug: organization, type: "team", ...limits }]);
  });
}

/** Groups (Turso Platform API, groups/list and groups/get). */
export function addGroupRoutes({ app, state, access }: TursoRoutes): void {
  const { groups } = state.value;
  const path = "/v1/organizations/:organization/groups";
  app.get(path, (context) => {
    const seen = groups.filter(({ name }) => access.maySee(context, name));
    return context.json({ groups: seen.map(groupBody) });
  });

  app.get(`${path}/:group`, (context) => {
    const found = groups.find(({ name }) => name === context.req.param("group"));
    if (found === undefined) return errorJson(context, 404, "group not found");
    if (!access.maySee(context, found.name)) return errorJson(context, 403, errorWords(403));
    return context.json({ group: groupBody(found) });
  });
}

const groupBody = (group: TursoState["groups"][number]) => ({
  ...group,
  version: "v0.24.32",
  locations: ["aws-us-east-1"],
  primary: "aws-us-east-1",
  delete_protection: false,
});
