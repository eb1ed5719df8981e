import { type Actor, BrokerError } from "@keyloan/contract";
import { StoreError } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import { writeAudit } from "../verbs/audit.ts";
import type { BrokerEnv } from "./context.ts";
import { toBrokerError } from "./errors.ts";

const idPattern = /^[a-z]{3}_[0-9a-z]{20}$/;

/**
 * No answer to a known caller leaves before a row of the audit names its request. A change writes its row itself,
 * with the change; for every other answer, such as a read, a refusal or a failure, the row is written here. Who
 * is not known has no name to write down: such requests are in the log alone, or anyone could fill the store.
 */
export function auditRequest(route: string): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    await next();
    const { deps, requestId } = context.var;
    // Absent when authentication refused: the types know only routes that have passed it.
    const actor: Actor | undefined = context.var.actor;
    if (actor === undefined || deps.auditWatch.isAudited(requestId)) return;
    // It has had its time already, and the answer is a 503 that names the store.
    if (isAuditDown(context.error)) return;
    const { error, res } = context;
    const id = context.req.param("id") ?? "";
    const details = {
      method: context.req.method,
      route,
      status: res.status,
      ...(error === undefined ? {} : { code: toBrokerError(error).code }),
    };
    try {
      const entity = entityOf(actor, id);
      await writeAudit(deps, { actor, action: "request.answered", entity, details, requestId });
    } catch (failure) {
      await res.body?.cancel();
      throw failure;
    }
  };
}

function entityOf(actor: Actor, id: string): string {
  if (idPattern.test(id)) return id;
  return actor.kind === "session" ? actor.buildId : "broker";
}

function isAuditDown(error: Error | undefined): boolean {
  if (error instanceof StoreError) return error.code === "busy";
  return error instanceof BrokerError && error.cause instanceof StoreError;
}
