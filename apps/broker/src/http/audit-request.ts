import { type Actor, actorLabel, BrokerError } from "@keyloan/contract";
import { StoreError } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import { entityOfInput, recordAudit } from "../audit-row.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { toBrokerError } from "./errors.ts";

/**
 * No answer to a known caller leaves before a row of the audit tells of its request. A change writes its row
 * itself, with the change; for every other answer the row is written here: one for each read, and for what is
 * refused or fails one for the first of its kind and one for how often it came again. Who is not known has no name
 * to write down: such requests are in the log alone, or anyone could fill the store.
 */
export function auditRequest(route: string): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    await next();
    const { deps, requestId } = context.var;
    // Absent when authentication refused: the types know only routes that have passed it.
    const actor: Actor | undefined = context.var.actor;
    if (actor === undefined || deps.auditWatch.isAudited(requestId)) return;
    const { error, res } = context;
    // It has had its time already, and the answer is a 503 that names the store.
    if (isAuditDown(error)) return;
    const { status } = res;
    try {
      if (status < 400) {
        const details = { method: context.req.method, route, status };
        const entity = entityOf(actor, context.req.param("id"));
        await recordAudit(deps, { actor, action: "request.answered", entity, details, requestId });
      } else {
        const code = error === undefined ? undefined : toBrokerError(error).code;
        await noteRefusal(context, actor, { route, status, code });
      }
    } catch (failure) {
      await res.body?.cancel();
      throw failure;
    }
  };
}

/** Audits an answer that is no success, counted with others of the same caller, route and reason. */
export function noteRefusal(
  context: BrokerContext,
  actor: Actor,
  {
    route,
    status,
    code,
  }: { readonly route: string; readonly status: number; readonly code?: string | undefined },
): Promise<void> {
  const { deps, requestId } = context.var;
  const { method } = context.req;
  return deps.refusals.note([actorLabel(actor), method, route, code ?? status].join(" "), {
    actor,
    action: status === 403 || status === 429 ? "request.refused" : "request.answered",
    entity: entityOf(actor, context.req.param("id")),
    details: { method, route, status, ...(code === undefined ? {} : { code }) },
    requestId,
  });
}

function entityOf(actor: Actor, id: string | undefined): string {
  if (id !== undefined) return entityOfInput(id);
  return actor.kind === "session" || actor.kind === "workload" ? actor.buildId : "broker";
}

function isAuditDown(error: Error | undefined): boolean {
  if (error instanceof StoreError) return error.code === "busy";
  return error instanceof BrokerError && error.cause instanceof StoreError;
}
