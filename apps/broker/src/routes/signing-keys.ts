import { errorEnvelopeSchema, signingKeysSchema } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { createRouter, defineRoute } from "../http/router.ts";

export function signingKeyRoutes(deps: Deps, limiter: RateLimiter) {
  const list = defineRoute(limiter, "open", {
    method: "get",
    path: "/v1/signing-keys",
    tags: ["audit"],
    summary: "The public keys that receipts and audit heads are signed with, as a JWK set",
    responses: {
      200: { description: "all keys", content: { "application/json": { schema: signingKeysSchema } } },
      503: { description: "unavailable", content: { "application/json": { schema: errorEnvelopeSchema } } },
    },
  });
  return createRouter().openapi(list, async (context) =>
    context.json({ keys: await deps.signer.publicKeys() }, 200, { "cache-control": "max-age=300" }),
  );
}
