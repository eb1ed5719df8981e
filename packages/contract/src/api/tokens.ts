import * as z from "zod";
import { platformScopes, tokenKinds } from "../actor.ts";
import { limits } from "../limits.ts";
import { timestampSchema } from "./common.ts";

export const createBuildTokenBodySchema = z
  .strictObject({
    ttlSeconds: z
      .number()
      .int()
      .min(1)
      .max(limits.buildTokenTtlSecondsMax)
      .default(limits.buildTokenTtlSecondsDefault),
    singleUse: z.boolean().default(false),
  })
  .meta({ id: "CreateBuildToken" });

export const createApiTokenBodySchema = z
  .strictObject({
    name: z.string().min(1).max(limits.nameLengthMax),
    scopes: z.array(z.enum(platformScopes)).min(1).readonly(),
    ttlSeconds: z
      .number()
      .int()
      .min(60)
      .max(366 * 24 * 3600)
      .optional(),
  })
  .meta({ id: "CreateApiToken" });

export const issuedTokenSchema = z
  .object({
    id: z.string(),
    token: z.string().meta({ description: "shown only once" }),
    expiresAt: timestampSchema.optional(),
  })
  .meta({ id: "IssuedToken" });

export const tokenSchema = z
  .object({
    id: z.string(),
    kind: z.enum(tokenKinds),
    name: z.string(),
    scopes: z.array(z.enum(platformScopes)).readonly(),
    createdAt: timestampSchema,
    expiresAt: timestampSchema.optional(),
    revokedAt: timestampSchema.optional(),
    lastUsedAt: timestampSchema.optional(),
  })
  .meta({ id: "Token" });

export const tokenListSchema = z
  .object({ tokens: z.array(tokenSchema).readonly(), nextCursor: z.string().optional() })
  .meta({ id: "TokenList" });

export type CreateBuildTokenBody = z.input<typeof createBuildTokenBodySchema>;
export type CreateApiTokenBody = z.input<typeof createApiTokenBodySchema>;
export type IssuedToken = z.output<typeof issuedTokenSchema>;
export type TokenView = z.output<typeof tokenSchema>;
export type TokenList = z.output<typeof tokenListSchema>;
