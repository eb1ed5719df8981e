import * as z from "zod";

export const emulatedDatabaseSchema = z.object({
  id: z.string(),
  group: z.string(),
  /** The real database behind it; random, because a name that comes back would revive old tokens. */
  namespace: z.string(),
  port: z.int(),
  publicKey: z.string(),
  privateKey: z.string(),
  deleteProtection: z.boolean(),
  /** When it was last used, in milliseconds since the epoch, as far as it was written down. */
  lastUseAt: z.number().optional(),
  /** How much had been read and written when it was last used before some moments, in order. */
  uses: z.array(z.object({ at: z.number(), rowsRead: z.number(), rowsWritten: z.number() })).default([]),
});

const platformTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  token: z.string(),
  /** `null`: every group and every scope. */
  group: z.string().nullable(),
  scopes: z.array(z.string()).nullable(),
});

export const tursoStateSchema = z.object({
  organization: z.string(),
  groups: z.array(z.object({ name: z.string(), uuid: z.string() })),
  tokens: z.array(platformTokenSchema),
});

/** What the stand-in remembers besides its databases. */
export type TursoState = z.output<typeof tursoStateSchema>;
export type EmulatedDatabase = z.output<typeof emulatedDatabaseSchema>;
export type PlatformToken = z.output<typeof platformTokenSchema>;
