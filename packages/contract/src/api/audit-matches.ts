import * as z from "zod";
import { timestampSchema } from "./common.ts";

export const matchValuesMax = 500;

export const auditMatchesBodySchema = z
  .object({
    values: z
      .array(z.string().min(1).max(8_192))
      .min(1)
      .max(matchValuesMax)
      .readonly()
      .meta({ description: "looked up as keyed hashes; never stored, logged or returned" }),
  })
  .meta({ id: "AuditMatchesBody" });

export const auditReaderSchema = z
  .object({
    at: timestampSchema,
    actor: z.string(),
    action: z.string(),
    requestId: z.string().optional(),
  })
  .meta({ id: "AuditReader" });

const readersSchema = z
  .object({ count: z.number().int(), latest: z.array(auditReaderSchema).readonly() })
  .meta({
    id: "AuditReaders",
    description: "who fetched an env of the build since it has held the value, latest first",
  });

const common = {
  /** Its place in `values`. */
  index: z.number().int(),
  /** Whether it may still work: lent now, or not known to be dead. */
  alive: z.boolean(),
};

export const leaseMatchSchema = z
  .object({
    ...common,
    what: z.literal("lease"),
    variable: z.string(),
    leaseId: z.string(),
    buildId: z.string(),
    buildName: z.string().optional(),
    connector: z.string(),
    grade: z.string(),
    state: z.string(),
    issuedAt: timestampSchema,
    readers: readersSchema,
  })
  .meta({ id: "LeaseMatch" });

export const orgKeyMatchSchema = z
  .object({
    ...common,
    what: z.literal("org_key"),
    variable: z.string().meta({ description: "the field of the key" }),
    orgKeyId: z.string(),
    connector: z.string(),
    version: z.number().int(),
    state: z.string(),
    putAt: timestampSchema,
    builds: z
      .object({ count: z.number().int(), ids: z.array(z.string()).readonly() })
      .meta({ description: "builds with leases issued with this key that are still alive" }),
  })
  .meta({ id: "OrgKeyMatch" });

export const tokenMatchSchema = z
  .object({
    ...common,
    what: z.literal("token"),
    kind: z.string().meta({ description: "admin, api, build, handoff, session, person or recovery" }),
    tokenId: z.string().optional().meta({ description: "absent for the admin token" }),
    buildId: z.string().optional(),
    name: z.string().optional(),
    issuedAt: timestampSchema.optional(),
    uses: readersSchema.optional(),
  })
  .meta({ id: "TokenMatch" });

export const auditMatchSchema = z.discriminatedUnion("what", [
  leaseMatchSchema,
  orgKeyMatchSchema,
  tokenMatchSchema,
]);

export const auditMatchesSchema = z
  .object({ asked: z.number().int(), matches: z.array(auditMatchSchema).readonly() })
  .meta({ id: "AuditMatches" });

export type LeaseMatch = z.output<typeof leaseMatchSchema>;
export type OrgKeyMatch = z.output<typeof orgKeyMatchSchema>;
export type TokenMatch = z.output<typeof tokenMatchSchema>;
export type AuditMatch = z.output<typeof auditMatchSchema>;
export type AuditMatches = z.output<typeof auditMatchesSchema>;
export type AuditReaders = z.output<typeof readersSchema>;
