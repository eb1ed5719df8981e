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

/** Why leases go on with a version that was replaced. */
export const orgKeyFlagSchema = z
  .object({ code: z.string(), message: z.string(), remedy: z.string(), leases: z.number().int() })
  .meta({ id: "OrgKeyFlag" });

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
    leasesInUse: z.number().int().meta({ description: "leases that hold something made with this version" }),
    flagged: z.number().int().meta({
      description: "of those: leases that a newer version cannot serve and that keep using this one",
    }),
    flags: z.array(orgKeyFlagSchema).readonly(),
    ageDays: z.number().int(),
    provenDeadAt: timestampSchema
      .optional()
      .meta({ description: "when the provider was confirmed to refuse it; its fields were erased then" }),
    canEnd: z.boolean().meta({ description: "whether the broker itself can end it at the provider" }),
    todo: z
      .string()
      .optional()
      .meta({ description: "what a person must do, or what the broker is waiting for" }),
  })
  .meta({ id: "OrgKey" });

export const orgKeyListSchema = z
  .object({ orgKeys: z.array(orgKeySchema).readonly() })
  .meta({ id: "OrgKeyList" });

export const retireOrgKeyBodySchema = z
  .strictObject({
    end: z.boolean().default(false).meta({
      description: "end replaced versions at the provider first, where the connector can",
    }),
  })
  .meta({ id: "RetireOrgKey" });

export const rootKeyStatusSchema = z
  .object({
    currentKeyId: z.string(),
    dataKeys: z.number().int(),
    left: z.number().int().meta({ description: "data keys that are wrapped by another root key" }),
    rootKeys: z
      .array(
        z.object({
          id: z.string(),
          state: z.enum(["current", "opens", "missing"]).meta({
            description:
              "`opens`: configured behind the current one; `missing`: not configured, so nothing wrapped by it can be opened",
          }),
          dataKeys: z.number().int(),
        }),
      )
      .readonly(),
  })
  .meta({ id: "RootKeyStatus" });

export const rewrapResultSchema = z
  .object({
    dataKeys: z.number().int(),
    rewrapped: z.number().int(),
    left: z.number().int().meta({ description: "not rewrapped yet: call again until it is 0" }),
    currentKeyId: z.string(),
  })
  .meta({ id: "RewrapResult" });

export type RetireOrgKeyBody = z.input<typeof retireOrgKeyBodySchema>;
export type RootKeyStatus = z.output<typeof rootKeyStatusSchema>;
export type RewrapResult = z.output<typeof rewrapResultSchema>;
export type PutOrgKeyBody = z.input<typeof putOrgKeyBodySchema>;
export type OrgKeyView = z.output<typeof orgKeySchema>;
export type OrgKeyList = z.output<typeof orgKeyListSchema>;
