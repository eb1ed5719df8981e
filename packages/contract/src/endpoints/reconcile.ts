import {
  endUnknownBodySchema,
  findingSchema,
  reconcileBodySchema,
  reconcileReportSchema,
} from "../api/reconcile.ts";
import { adminOnly, answer, endpoints } from "./endpoint.ts";
import { reconcileRoutes } from "./routes.ts";

export const reconcileEndpoints = endpoints("reconcile", reconcileRoutes, {
  run: {
    access: adminOnly,
    summary: "Compare what providers list with Keyloan's records, and end what is left over",
    body: reconcileBodySchema,
    example: { dryRun: true },
    answers: { 200: answer("what was found and done, by connector", reconcileReportSchema) },
  },
  end: {
    access: adminOnly,
    summary: "End one resource that is named like Keyloan's own but that Keyloan has no record of",
    body: endUnknownBodySchema,
    example: { connector: "turso", name: "kl-todo-app-3k9v0a5m2c7d" },
    answers: { 200: answer("whether it was ended", findingSchema) },
  },
});
