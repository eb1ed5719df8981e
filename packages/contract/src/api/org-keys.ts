import * as z from "zod";
import { orgKeyStates } from "../states.ts";
import { timestampSchema } from "./common.ts";

export const putOrgKeyBodySchema = z
  .strictObject({
    fields: z
      .record(z.string().max(64), z.string().min(1).max(16_384))
      .meta({ description: "the connector's org fields by name; the catalog lists them" }),
  })
  .meta({ id: "PutOrgKey" });

export const capabilitySchema = z
  .object({
    name: z.string(),
    state: z.enum(["works", "missing", "not_checked"]),
    remedy: z.string().optional(),
    helpUrl: z.string().optional(),
  })
  .meta({ id: "Capability" });

export const orgKeySchema = z
  .object({
    connector: z.string(),
    version: z.number().int(),
    state: z.enum(orgKeyStates as [string, ...string[]]),
    fingerprint: z.string().meta({ description: "a keyed hash: equal keys have equal fingerprints" }),
    account: z.string().optional(),
    mode: z.enum(["test", "live"]).optional(),
    capabilities: z.array(capabilitySchema).readonly(),
    warnings: z.array(z.string()).readonly(),
    putAt: timestampSchema,
    checkedAt: timestampSchema,
    checkStatus: z.enum(["valid", "invalid", "undetermined"]),
    checkMessage: z.string().optional(),
    leasesInUse: z.number().int(),
  })
  .meta({ id: "OrgKey" });

export const orgKeyListSchema = z
  .object({ orgKeys: z.array(orgKeySchema).readonly() })
  .meta({ id: "OrgKeyList" });

export type PutOrgKeyBody = z.input<typeof putOrgKeyBodySchema>;
export type OrgKeyView = z.output<typeof orgKeySchema>;
export type OrgKeyList = z.output<typeof orgKeyListSchema>;
