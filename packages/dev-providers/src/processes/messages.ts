import * as z from "zod";

const portsSchema = z.record(z.string(), z.number().int().min(1).max(65_535));

/** What the launcher tells the process that serves the stand-ins. */
export const startProvidersSchema = z.object({
  kind: z.literal("start"),
  stateFolder: z.string(),
  /** Ports of earlier starts by connector id. */
  ports: portsSchema,
  /** Where to look for ports that are not given. */
  firstPort: z.number().int(),
});

/** Asks for an account of another person at every provider, with keys that work. */
export const createUserEnvsSchema = z.object({ kind: z.literal("create-user-envs") });

const providerSchema = z.object({
  id: z.string(),
  label: z.string(),
  baseUrl: z.string(),
  port: z.number().int(),
  orgFields: z.record(z.string(), z.string()),
  /** What whoever starts it should know of this machine, in one sentence. */
  notice: z.string().optional(),
});

/** What a child tells the launcher. */
export const childMessageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), port: z.number().int() }),
  z.object({ kind: z.literal("providers"), providers: z.array(providerSchema).readonly() }),
  z.object({
    kind: z.literal("user-envs"),
    /** By connector id what that person would type; secret, though it opens nothing but the stand-in. */
    envs: z.record(z.string(), z.record(z.string(), z.string())),
  }),
  z.object({ kind: z.literal("failed"), message: z.string() }),
]);

export { portsSchema };
export type StartProviders = z.output<typeof startProvidersSchema>;
export type ChildMessage = z.output<typeof childMessageSchema>;
/** A running stand-in; `orgFields` are secret, though they open nothing but the stand-in. */
export type ServedProvider = z.output<typeof providerSchema>;
