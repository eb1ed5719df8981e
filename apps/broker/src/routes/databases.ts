import { databaseEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { type BrokerContext, byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { type DatabaseFile, downloadDatabase } from "../verbs/databases/download-database.ts";
import { listDatabases } from "../verbs/databases/list-databases.ts";
import { requestArchive } from "../verbs/databases/request-archive.ts";
import { requestRestore } from "../verbs/databases/request-restore.ts";

export function databaseRoutes(deps: Deps, limits: CallerLimits) {
  const { list, archive, restore, download, ownDownload } = databaseEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, list), async (context) =>
      context.json(await listDatabases(deps, context.var.actor, context.req.valid("param").id), 200),
    )
    .openapi(serveEndpoint(limits, archive), async (context) => {
      const { id, connector } = context.req.valid("param");
      await requestArchive(deps, byOf(context), id, connector);
      return context.json(await listDatabases(deps, context.var.actor, id), 202);
    })
    .openapi(serveEndpoint(limits, restore), async (context) => {
      const { id, connector } = context.req.valid("param");
      await requestRestore(deps, byOf(context), id, connector);
      return context.json(await listDatabases(deps, context.var.actor, id), 202);
    })
    .openapi(serveEndpoint(limits, download), async (context) => {
      const { id, connector } = context.req.valid("param");
      return sendFile(context, await downloadFor(deps, context, id, connector));
    })
    .openapi(serveEndpoint(limits, ownDownload), async (context) => {
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
