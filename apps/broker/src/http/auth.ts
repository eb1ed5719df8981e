import { type Access, tokenKinds } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import { type Caller, findCaller, requireAccess, unauthenticated, unknownToken } from "../auth/callers.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { bearerOf } from "./credential.ts";

/** Finds who calls, or refuses: 401 when that is not known, 403 when it is and is not enough. */
export function authenticate(access: Access): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { actor, token } = await identify(context);
    context.set("actor", actor);
    context.set("token", token);
    requireAccess(access, actor, context.req.param("id"));
    await next();
  };
}

/** The caller of a bearer token. */
async function identify(context: BrokerContext): Promise<Caller> {
  const { credential, deps } = context.var;
  if (credential === undefined || !tokenKinds.some((kind) => kind === credential.kind)) {
    if (bearerOf(context) !== undefined) throw unknownToken();
    throw unauthenticated("this request needs a token", "Send the header `Authorization: Bearer klo_…`.");
  }
  return findCaller(deps, credential);
}
