import * as z from "zod";
import { connectorIdPattern, idPattern } from "../ids.ts";
import { limits } from "../limits.ts";
import { leaseStates } from "../states.ts";
import { leaseSchema } from "./builds.ts";
import {
  buildIdSchema,
  pageQuerySchema,
  stateQuerySchema,
  timestampSchema,
  waitQuerySchema,
} from "./common.ts";

export const leaseIdSchema = z
  .string()
  .regex(idPattern("lease"), "a lease id looks like lse_ and 20 characters");

const connectorSchema = z
  .string()
  .max(64)
  .regex(connectorIdPattern, "a connector id is lower-case words and dashes");

/** A lease outside of its build. */
export const listedLeaseSchema = leaseSchema
  .extend({ buildId: z.string(), createdAt: timestampSchema })
  .meta({ id: "ListedLease" });

export const leaseListQuerySchema = pageQuerySchema.extend({
  state: stateQuerySchema(leaseStates).optional(),
  connector: connectorSchema.optional(),
  buildId: buildIdSchema.optional(),
});

export const leaseListSchema = z
  .object({ leases: z.array(listedLeaseSchema).readonly(), nextCursor: z.string().optional() })
  .meta({ id: "LeaseList" });

export const revokeLeaseQuerySchema = waitQuerySchema("seconds to wait until the provider has ended it");

export const revokeLeasesBodySchema = z
  .union([
    z.strictObject({ connector: connectorSchema }),
    z.strictObject({
      all: z.literal(true),
      confirm: z
        .string()
        .max(limits.nameLengthMax)
        .meta({ description: "the name of the org, or `all`: every build loses what was lent to it" }),
    }),
  ])
  .meta({ id: "RevokeLeases" });

const count = z.number().int();

export const revokedLeasesSchema = z
  .object({
    leases: count.meta({
      description: "leases that began to end now; those that had begun before are not counted",
    }),
    builds: count.meta({ description: "builds they belong to" }),
    connectors: z.record(z.string(), count).meta({ description: "how many leases of each connector" }),
  })
  .meta({ id: "RevokedLeases" });

export type ListedLease = z.output<typeof listedLeaseSchema>;
export type LeaseList = z.output<typeof leaseListSchema>;
export type RevokeLeasesBody = z.input<typeof revokeLeasesBodySchema>;
export type RevokedLeases = z.output<typeof revokedLeasesSchema>;
