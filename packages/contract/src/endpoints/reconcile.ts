import {
  endUnknownBodySchema,
  findingSchema,
  reconcileBodySchema,
  reconcileReportSchema,
} from "../api/reconcile.ts";
import { answer, endpoint } from "./endpoint.ts";
import { reconcileRoutes } from "./routes.ts";

export const reconcileEndpoints = {
  run: endpoint(reconcileRoutes.run, {
    tag: "reconcile",
    access: { admin: true },
    summary: "Compare what providers list with what the broker knows, and end what is left over",
    body: reconcileBodySchema,
    answers: { 200: answer("what was found and done, by connector", reconcileReportSchema) },
  }),
  end: endpoint(reconcileRoutes.end, {
    tag: "reconcile",
    access: { admin: true },
    summary: "End one resource that is named as ours and that no row knows",
    body: endUnknownBodySchema,
    answers: { 200: answer("whether it was ended", findingSchema) },
  }),
};
