import * as z from "zod";
import { limits } from "../limits.ts";
import { tokenForms, tokenPattern } from "../token-forms.ts";
import { buildIdSchema, timestampSchema } from "./common.ts";

export const createHandoffBodySchema = z
  .strictObject({
    ttlSeconds: z
      .number()
      .int()
      .min(60)
      .max(limits.handoffTtlSecondsMax)
      .default(limits.handoffTtlSecondsDefault)
      .meta({ description: "how long the link can wait to be opened" }),
    userRef: z.string().min(1).max(200).optional().meta({
      description: "your user's id, as in their Clerk session: when they are signed in, they need no link",
    }),
  })
  .meta({ id: "CreateHandoff" });

export const handoffSchema = z
  .object({
    url: z
      .string()
      .meta({ description: "shown only once; the code is after the #, which browsers never send" }),
    expiresAt: timestampSchema,
    personOnly: z.literal(true).optional().meta({
      description: "the handoff is finished: the link opens the page only for the person who saved the keys",
    }),
  })
  .meta({ id: "Handoff" });

/** A link's code; a recovery code; or a build, when the request carries the person's cookie or a Clerk session. */
export const createSessionBodySchema = z
  .union([
    z.strictObject({
      code: z
        .string()
        .regex(tokenPattern("handoff"), `a handoff code looks like ${tokenForms.handoff.prefix}…`),
    }),
    z.strictObject({
      recovery: z.string().max(200).meta({
        description: "letter case, spaces and dashes do not matter",
      }),
    }),
    z.strictObject({ buildId: buildIdSchema }),
  ])
  .meta({ id: "CreateSession" });

/** What a page needs to seal values before they leave it (libsodium sealed box, X25519). */
export const sessionSchema = z
  .object({
    expiresAt: timestampSchema,
    sealingKey: z.string().meta({ description: "the session's public key, base64url, 32 bytes" }),
  })
  .meta({ id: "Session" });

/** What opening answers: which build the cookie is for, to be named in `x-keyloan-build` from then on. */
export const openedSessionSchema = sessionSchema
  .extend({ buildId: z.string() })
  .meta({ id: "OpenedSession" });

export type CreateHandoffBody = z.input<typeof createHandoffBodySchema>;
export type Handoff = z.output<typeof handoffSchema>;
export type Session = z.output<typeof sessionSchema>;
export type OpenedSession = z.output<typeof openedSessionSchema>;
