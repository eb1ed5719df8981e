import { type Actor, actorLabel, BrokerError } from "@keyloan/contract";
import { StoreError } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import { entityOfInput, recordAudit } from "../audit-row.ts";
import { bySystem } from "../change.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { toBrokerError } from "./errors.ts";
import { holderOf } from "./holder-of.ts";
import { routeOf } from "./route-of.ts";

/**
 * No answer to a known caller leaves before a row of the audit tells of its request. A change writes its row
 * itself, with the change; a row for every other read is written here.
 */
export function auditRequest(route: string): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    await next();
    const { deps, requestId } = context.var;
    // Absent when authentication refused: the types know only routes that have passed it.
    const actor: Actor | undefined = context.var.actor;
    const { status } = context.res;
    if (actor === undefined || status >= 400 || deps.auditWatch.isAudited(requestId)) return;
    const details = { method: context.req.method, route, status };
    const entity = entityOf(actor, context.req.param("id"));
    await orNoAnswer(context, () =>
      recordAudit(deps, { actor, action: "request.answered", entity, details, requestId }),
    );
  };
}

/**
 * The same for what is refused or fails, wherever that was: one row for the first of its kind and one for how often it
 * came again. Who is not known has no name to write down: such requests are in the log alone, or anyone could fill
 * the store.
 */
export const auditRefusals: MiddlewareHandler<BrokerEnv> = async (context, next) => {
  await next();
  const { deps, requestId } = context.var;
  const { error } = context;
  const { status } = context.res;
  // An audit that is down has had its time already, and the answer is a 503 that names the store.
  if (status < 400 || deps.auditWatch.isAudited(requestId) || isAuditDown(error)) return;
  const code = error === undefined ? undefined : toBrokerError(error).code;
  // It has a row of its own, which names the link.
  if (code === "handoff_used") return;
  await orNoAnswer(context, async () => {
    const actor = await knownCaller(context);
    if (actor !== undefined) await noteRefusal(context, actor, { route: routeOf(context), status, code });
  });
};

async function orNoAnswer({ res }: BrokerContext, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (failure) {
    await res.body?.cancel();
    throw failure;
  }
}

/** Whose the credential is that was recognised; the route may not have come to ask. */
async function knownCaller(context: BrokerContext): Promise<Actor | undefined> {
  const { credential } = context.var;
  const asked: Actor | undefined = context.var.actor;
  if (asked !== undefined || credential === undefined) return asked;
  // Whoever comes with a code is nobody yet, and what becomes of one that has ended is told too: it has one route alone.
  const isCode = credential.kind === "handoff" || credential.kind === "recovery";
  return isCode ? bySystem("handoff").actor : holderOf(context);
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
