import * as z from "zod";
import { connectorIdPattern } from "../ids.ts";
import { timestampSchema } from "./common.ts";

const connectorSchema = z.string().max(64).regex(connectorIdPattern);

export const reconcileBodySchema = z
  .strictObject({
    dryRun: z.boolean().default(false).meta({ description: "only report: nothing is ended or marked" }),
    connector: connectorSchema
      .optional()
      .meta({ description: "default: every connector that can be listed" }),
  })
  .meta({ id: "Reconcile" });

export const endUnknownBodySchema = z
  .strictObject({
    connector: connectorSchema,
    name: z.string().min(1).max(500).meta({ description: "its name at the provider, as in the report" }),
  })
  .meta({ id: "EndUnknown" });

export const findingKinds = ["left_over", "unknown", "missing"] as const;

export const findingActions = ["ended", "told", "marked", "failed"] as const;

export const findingSchema = z
  .object({
    kind: z.enum(findingKinds).meta({
      description:
        "`left_over`: belongs to a lease that has ended; `unknown`: named like Keyloan's own, but Keyloan has no record of it; `missing`: a lease whose resource is gone",
    }),
    name: z.string(),
    lease: z.string().optional(),
    build: z.string().optional(),
    action: z.enum(findingActions),
    message: z.string(),
    remedy: z.string().optional(),
  })
  .meta({ id: "Finding" });

export const connectorReportSchema = z
  .object({
    connector: z.string(),
    state: z.enum(["compared", "stopped", "failed"]).meta({
      description:
        "`stopped`: the provider's list cannot be trusted; `failed`: it could not be read. In both cases nothing was ended",
    }),
    listed: z.number().int(),
    message: z.string().optional(),
    remedy: z.string().optional(),
    findings: z.array(findingSchema).readonly(),
    unlisted: z
      .number()
      .int()
      .meta({ description: "findings that are not shown here because there are too many" }),
  })
  .meta({ id: "ConnectorReport" });

export const reconcileReportSchema = z
  .object({
    at: timestampSchema,
    dryRun: z.boolean(),
    policy: z.enum(["report", "mend"]),
    needsPerson: z.boolean(),
    connectors: z.array(connectorReportSchema).readonly(),
  })
  .meta({ id: "ReconcileReport" });

export type ReconcileBody = z.input<typeof reconcileBodySchema>;
export type EndUnknownBody = z.input<typeof endUnknownBodySchema>;
export type Finding = z.output<typeof findingSchema>;
export type ConnectorReport = z.output<typeof connectorReportSchema>;
export type ReconcileReport = z.output<typeof reconcileReportSchema>;
