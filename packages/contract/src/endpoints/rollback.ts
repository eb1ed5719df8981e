import * as z from "zod";
import { buildSchema } from "../api/builds.ts";
import { buildIdSchema } from "../api/common.ts";
import { rehearsalSchema, revertBuildBodySchema } from "../api/rollback.ts";
import { adminOnly, answer, buildWriters, endpoints } from "./endpoint.ts";
import { rollbackRoutes } from "./routes.ts";

export const rollbackEndpoints = endpoints("rollback", rollbackRoutes, {
  rehearse: {
    access: adminOnly,
    summary: "Go back on a copy of the store, and report how long it took",
    description:
      "Copies the store, opens the copy with this broker's keys, and lets every swapped build use its lent keys again there. The store itself and the providers are not touched.",
    answers: { 200: answer("the result of the rehearsal", rehearsalSchema) },
  },
  revert: {
    access: buildWriters,
    work: "ask",
    summary: "Let a swapped build use its lent keys again",
    description:
      "Once the app's user has saved keys, they decide: a token may do it when they allow it, and the admin with a reason that the settings page shows.",
    params: z.object({ id: buildIdSchema }),
    body: revertBuildBodySchema,
    example: { reason: "the user asked support to go back" },
    isBodyOptional: true,
    answers: { 200: answer("reverted", buildSchema) },
  },
});
