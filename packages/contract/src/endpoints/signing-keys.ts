import { errorEnvelopeSchema } from "../api/common.ts";
import { signingKeysSchema } from "../api/signing-keys.ts";
import { answer, endpoints } from "./endpoint.ts";
import { signingKeyRoutes } from "./routes.ts";

export const signingKeyEndpoints = endpoints({ tag: "audit", group: "signingKeys" }, signingKeyRoutes, {
  list: {
    access: "open",
    summary: "The public keys that receipts and audit heads are signed with, as a JWK set",
    answers: {
      200: answer("all keys", signingKeysSchema),
      503: answer("unavailable", errorEnvelopeSchema),
    },
  },
});
