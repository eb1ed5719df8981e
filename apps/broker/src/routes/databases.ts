import { buildIdSchema, databaseListSchema } from "@keyloan/contract";
import * as z from "zod";
import type { Deps } from "../deps.ts";
import { type BrokerContext, byOf } from "../http/context.ts";
import { json } from "../http/json-content.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";
import { type DatabaseFile, downloadDatabase } from "../verbs/databases/download-database.ts";
import { listDatabases } from "../verbs/databases/list-databases.ts";
import { requestArchive } from "../verbs/databases/request-archive.ts";
import { requestRestore } from "../verbs/databases/request-restore.ts";

const tags = ["databases"];
const params = z.object({ id: buildIdSchema });
const connector = z.string().max(64);
const databaseParams = params.extend({ connector });
const fileContent = { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } };

export function databaseRoutes(deps: Deps, limiter: RateLimiter) {
  const reading = { admin: true, platform: "builds:read" } as const;
  const writing = { admin: true, platform: "builds:write" } as const;
  const list = defineRoute(limiter, reading, {
    method: "get",
    path: "/v1/builds/{id}/databases",
    tags,
    summary: "Show the databases of a build, since when they are idle, and their archives",
    request: { params },
    responses: { 200: json("the databases", databaseListSchema) },
  });
  const archive = defineRoute(limiter, writing, {
    method: "post",
    path: "/v1/builds/{id}/databases/{connector}/archive",
    tags,
    summary: "Put a database away: it is ended when its archive is proven",
    description:
      "Answers when it is begun; the list tells how far it is. The database takes no writes meanwhile, and stays as it is when the archive does not hold the same. Refused with `person_decides` while its user, who has switched, can go back to it or lets the preview use it.",
    request: { params: databaseParams },
    responses: { 202: json("begun", databaseListSchema) },
  });
  const restore = defineRoute(limiter, writing, {
    method: "post",
    path: "/v1/builds/{id}/databases/{connector}/restore",
    tags,
    summary: "Bring an archived database back, as a new one with a new token",
    description: "Answers when it is begun. When it is done the build's env has the new values.",
    request: { params: databaseParams },
    responses: { 202: json("begun", databaseListSchema) },
  });
  const download = defineRoute(limiter, writing, {
    method: "get",
    path: "/v1/builds/{id}/databases/{connector}/download",
    tags,
    summary: "Download a database as a file that its own tools open",
    description: "From its archive when it is archived. It holds what the database held at one moment.",
    request: { params: databaseParams },
    responses: { 200: { description: "the file", content: fileContent } },
  });
  const ownDownload = defineRoute(limiter, "person", {
    method: "get",
    path: "/v1/settings/databases/{connector}/download",
    tags,
    summary: "Download the app's database as a file that its own tools open",
    request: {
      params: z.object({ connector }),
      query: z.strictObject({
        build: z.string().max(64).optional().meta({
          description:
            "the build whose session is meant, as `x-keyloan-build` says it: a link has no headers",
        }),
      }),
    },
    responses: { 200: { description: "the file", content: fileContent } },
  });
  return createRouter()
    .openapi(list, async (context) =>
      context.json(await listDatabases(deps, context.req.valid("param").id), 200),
    )
    .openapi(archive, async (context) => {
      const { id, connector } = context.req.valid("param");
      await requestArchive(deps, byOf(context), id, connector);
      return context.json(await listDatabases(deps, id), 202);
    })
    .openapi(restore, async (context) => {
      const { id, connector } = context.req.valid("param");
      await requestRestore(deps, byOf(context), id, connector);
      return context.json(await listDatabases(deps, id), 202);
    })
    .openapi(download, async (context) => {
      const { id, connector } = context.req.valid("param");
      return sendFile(context, await downloadFor(deps, context, id, connector));
    })
    .openapi(ownDownload, async (context) => {
      const { buildId } = context.var.session;
      return sendFile(
        context,
        await downloadFor(deps, context, buildId, context.req.valid("param").connector),
      );
    });
}

function downloadFor(deps: Deps, context: BrokerContext, buildId: string, connectorId: string) {
  return downloadDatabase(deps, byOf(context), buildId, connectorId, context.req.raw.signal);
}

async function sendFile(context: BrokerContext, { name, mediaType, bytes, content }: DatabaseFile) {
  // Nobody will read it.
  if (context.req.method === "HEAD") await content.cancel();
  return context.body(content, 200, {
    "content-type": mediaType,
    "content-length": String(bytes),
    "content-disposition": `attachment; filename="${name}"`,
    "cache-control": "no-store",
  }) as never;
}
