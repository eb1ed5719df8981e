import { pageTransferEndpoints, transferEndpoints } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { bodyOf } from "../http/body-of.ts";
import type { CallerLimits } from "../http/caller-limits.ts";
import { byOf } from "../http/context.ts";
import { createRouter } from "../http/router.ts";
import { serveEndpoint } from "../http/serve-endpoint.ts";
import { cancelTransfers } from "../verbs/transfers/cancel-transfer.ts";
import { listReceipts, listTransfers } from "../verbs/transfers/list-transfers.ts";
import { resumeTransfers } from "../verbs/transfers/resume-transfer.ts";
import { startTransfer } from "../verbs/transfers/start-transfer.ts";

/** Moving data, from the settings page and for whoever made the build: the same verbs behind two doors. */
export function transferRoutes(deps: Deps, limits: CallerLimits) {
  const page = pageTransferEndpoints;
  const own = transferEndpoints;
  return createRouter()
    .openapi(serveEndpoint(limits, page.show), async (context) =>
      context.json(await listTransfers(deps, context.var.actor, context.var.session.buildId), 200),
    )
    .openapi(serveEndpoint(limits, page.start), async (context) => {
      const { session } = context.var;
      const input = bodyOf(context, page.start);
      return context.json(
        await startTransfer(deps, byOf(context), session.buildId, input, context.req.raw.signal),
        202,
      );
    })
    .openapi(serveEndpoint(limits, page.cancel), async (context) => {
      const { session } = context.var;
      const { connectors } = bodyOf(context, page.cancel);
      return context.json(await cancelTransfers(deps, byOf(context), session.buildId, connectors), 202);
    })
    .openapi(serveEndpoint(limits, page.resume), async (context) => {
      const { session } = context.var;
      const input = bodyOf(context, page.resume);
      return context.json(
        await resumeTransfers(deps, byOf(context), session.buildId, input, context.req.raw.signal),
        202,
      );
    })
    .openapi(serveEndpoint(limits, page.receipts), async (context) => {
      const { actor, session } = context.var;
      const { connector } = context.req.valid("query");
      return context.json(await listReceipts(deps, actor, session.buildId, connector), 200);
    })
    .openapi(serveEndpoint(limits, own.show), async (context) =>
      context.json(await listTransfers(deps, context.var.actor, context.req.valid("param").id), 200),
    )
    .openapi(serveEndpoint(limits, own.start), async (context) => {
      const input = bodyOf(context, own.start);
      const { id } = context.req.valid("param");
      return context.json(await startTransfer(deps, byOf(context), id, input, context.req.raw.signal), 202);
    })
    .openapi(serveEndpoint(limits, own.cancel), async (context) => {
      const { connectors } = bodyOf(context, own.cancel);
      const { id } = context.req.valid("param");
      return context.json(await cancelTransfers(deps, byOf(context), id, connectors), 202);
    })
    .openapi(serveEndpoint(limits, own.resume), async (context) => {
      const input = bodyOf(context, own.resume);
      const { id } = context.req.valid("param");
      return context.json(await resumeTransfers(deps, byOf(context), id, input, context.req.raw.signal), 202);
    })
    .openapi(serveEndpoint(limits, own.receipts), async (context) => {
      const { id } = context.req.valid("param");
      const { connector } = context.req.valid("query");
      return context.json(await listReceipts(deps, context.var.actor, id, connector), 200);
    });
}
