import * as z from "zod";
import { envFormats, envProfiles } from "../env-formats.ts";
import { isolationGrades } from "../field.ts";
import { connectorIdPattern } from "../ids.ts";
import { limits } from "../limits.ts";
import { buildStates, leaseStates } from "../states.ts";
import { pageQuerySchema, timestampSchema, waitQuerySchema } from "./common.ts";

const connectorIdSchema = z
  .string()
  .max(64)
  .regex(connectorIdPattern, "a connector id is lower-case words and dashes");

// A display name, never part of a resource name; still, nothing that a path, a glob or a terminal would act on.
const namePattern = /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u;
const nameRule =
  "letters, digits, spaces, single dots, dashes and underscores, the first a letter or a digit";

/** A connector by its id, or with options of its own (`{ id: "stripe", options: { prices: [...] } }`). */
export const connectorRequestSchema = z.union([
  connectorIdSchema,
  z.strictObject({ id: connectorIdSchema, options: z.record(z.string(), z.unknown()).optional() }),
]);

export const createBuildBodySchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(limits.nameLengthMax)
      // A refinement, because a pattern with Unicode classes means different things to readers of the document.
      .refine((name) => namePattern.test(name) && !name.includes(".."), nameRule)
      .meta({ example: "todo-app", description: nameRule }),
    connectors: z.array(connectorRequestSchema).min(1).max(32).readonly().optional().meta({
      description:
        "default: one connector of each category that the org has a key for or that needs no key, preferred ones first",
    }),
    ttlSeconds: z.number().int().min(limits.ttlSecondsMin).max(limits.ttlSecondsMax).optional(),
    profile: z.enum(envProfiles).optional().meta({ description: "the default profile of the build's env" }),
  })
  .meta({ id: "CreateBuild" });

export const createBuildQuerySchema = waitQuerySchema("seconds to wait until the build is ready");

export const leaseErrorSchema = z
  .object({
    provider: z.string(),
    code: z.string(),
    message: z.string(),
    status: z.number().int().optional(),
    requestId: z.string().optional().meta({ description: "the provider's id of the failed call" }),
    remedy: z.string(),
    retryable: z.boolean(),
  })
  .meta({ id: "LeaseError" });

export const leaseSchema = z
  .object({
    id: z.string(),
    connector: z.string(),
    state: z.enum(leaseStates as [string, ...string[]]),
    grade: z.enum(isolationGrades),
    gradeMeaning: z.string(),
    revocation: z.string(),
    resource: z
      .record(z.string(), z.string())
      .meta({ description: "names and ids at the provider, never a secret" }),
    issuedAt: timestampSchema.optional(),
    expiresAt: timestampSchema,
    attempts: z.number().int(),
    error: leaseErrorSchema.optional(),
  })
  .meta({ id: "Lease" });

export const buildSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    state: z.enum(buildStates as [string, ...string[]]),
    profile: z.enum(envProfiles),
    createdAt: timestampSchema,
    expiresAt: timestampSchema,
    renewableUntil: timestampSchema,
    closedAt: timestampSchema.optional(),
    lendingEndedAt: timestampSchema.optional().meta({
      description:
        "when all lent keys ended because the app's user has their own keys for everything: nobody can read the env, and the user can download their file until the build closes",
    }),
    handoff: z
      .object({
        createdAt: timestampSchema,
        expiresAt: timestampSchema,
        openedAt: timestampSchema.optional(),
        refusedAt: timestampSchema.optional().meta({
          description: "when someone tried to open the link a second time: ask your user whether it was them",
        }),
      })
      .optional()
      .meta({ description: "the newest link to the settings page" }),
    leases: z.array(leaseSchema).readonly(),
  })
  .meta({ id: "Build" });

export const buildListQuerySchema = pageQuerySchema.extend({
  state: z.enum(buildStates as [string, ...string[]]).optional(),
});

export const buildListSchema = z
  .object({ builds: z.array(buildSchema).readonly(), nextCursor: z.string().optional() })
  .meta({ id: "BuildList" });

export const renewBodySchema = z
  .strictObject({
    ttlSeconds: z.number().int().min(limits.ttlSecondsMin).max(limits.ttlSecondsMax).optional(),
  })
  .meta({ id: "RenewBuild" });

export const envQuerySchema = z.strictObject({
  format: z.enum(envFormats).default("json"),
  profile: z.enum(envProfiles).optional().meta({ description: "default: the build's own" }),
  copies: z
    .string()
    .regex(/^[a-z]+(,[a-z]+)*$/, "names of copy sets, joined by commas")
    .optional()
    .meta({ description: "also write these sets of copied names, for instance `aws`" }),
  name: z.string().min(1).max(253).optional().meta({
    description: "`format=kubernetes`: the name of the Secret, a DNS subdomain name; default `app-env`",
  }),
});

/** The answer of `format=json`: one flat object, name → value. */
export const envJsonSchema = z.record(z.string(), z.string()).meta({ id: "Env" });

export type CreateBuildBody = z.input<typeof createBuildBodySchema>;
export type ConnectorRequest = z.output<typeof connectorRequestSchema>;
export type LeaseErrorView = z.output<typeof leaseErrorSchema>;
export type LeaseView = z.output<typeof leaseSchema>;
export type BuildView = z.output<typeof buildSchema>;
export type BuildList = z.output<typeof buildListSchema>;
export type RenewBody = z.input<typeof renewBodySchema>;
export type EnvQuery = z.output<typeof envQuerySchema>;
