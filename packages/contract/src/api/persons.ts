import * as z from "zod";
import { sessionOpeners, startOverStates, tokenPermissions } from "../person.ts";
import { timestampSchema } from "./common.ts";

/** The code that proves a person anywhere. Only its hash is kept, so it is shown in one answer alone. */
export const recoveryCodeSchema = z
  .object({
    code: z.string().meta({ description: "shown only once; a newer one replaces it" }),
    createdAt: timestampSchema,
  })
  .meta({ id: "RecoveryCode" });

/** Somebody who lost every proof asks to become the person of a build. */
export const startOverSchema = z
  .object({
    state: z.enum(startOverStates),
    /** This very session asked. */
    mine: z.boolean(),
    requestedAt: timestampSchema,
    dueAt: timestampSchema.meta({ description: "until then the current person can refuse" }),
    from: z.string().optional().meta({ description: "the address the request came from" }),
    againAt: timestampSchema
      .optional()
      .meta({ description: "refused or withdrawn: it can be requested again from then on" }),
  })
  .meta({ id: "StartOver" });

/** Who the session is to the build whose settings it shows. */
export const personSchema = z
  .object({
    standing: z.enum(["none", "you", "someone_else", "nobody_can_prove"]).meta({
      description:
        "`none`: nothing is saved yet, the first save makes you the person; `you`: proven; `someone_else`: masks only; `nobody_can_prove`: saved before Keyloan recorded persons, so it is only possible to start over",
    }),
    since: timestampSchema.optional(),
    tokensMay: z
      .array(z.enum(tokenPermissions))
      .readonly()
      .optional()
      .meta({ description: "what the person allows the platform's tokens to do; shown to the person" }),
    startOver: startOverSchema.optional(),
    replaced: z
      .object({ at: timestampSchema, from: z.string().optional() })
      .optional()
      .meta({ description: "this browser was the person's until somebody started over" }),
  })
  .meta({ id: "Person" });

export const allowTokensBodySchema = z
  .strictObject({
    tokensMay: z.array(z.enum(tokenPermissions)).max(tokenPermissions.length).readonly(),
    expectedVersion: z.number().int(),
  })
  .meta({ id: "AllowTokens" });

/** The builds that this browser has proven to be the person of. */
export const knownBuildsSchema = z
  .object({
    builds: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          state: z.string(),
          replaced: z.object({ at: timestampSchema, from: z.string().optional() }).optional(),
        }),
      )
      .readonly(),
  })
  .meta({ id: "KnownBuilds" });

/** A visit of the settings page, as the platform sees it. */
export const visitSchema = z
  .object({
    id: z.string(),
    openedBy: z.enum(sessionOpeners),
    isPerson: z.boolean(),
    openedAt: timestampSchema,
    lastUsedAt: timestampSchema,
    expiresAt: timestampSchema,
    endedAt: timestampSchema.optional(),
  })
  .meta({ id: "Visit" });
export const visitListSchema = z
  .object({ sessions: z.array(visitSchema).readonly() })
  .meta({ id: "VisitList" });

export type RecoveryCode = z.output<typeof recoveryCodeSchema>;
export type StartOverView = z.output<typeof startOverSchema>;
export type PersonView = z.output<typeof personSchema>;
export type KnownBuilds = z.output<typeof knownBuildsSchema>;
export type VisitView = z.output<typeof visitSchema>;
export type VisitList = z.output<typeof visitListSchema>;
