import * as z from "zod";
import { envFormats, envProfiles } from "../env-formats.ts";
import { isolationGrades } from "../field.ts";
import { gateStatuses } from "../gates.ts";
import { limits } from "../limits.ts";
import { buildStates } from "../states.ts";
import { invalidKeyCodes, keyModes, undeterminedCodes, type ValidationResult } from "../validation.ts";
import { keyValuesSchema, timestampSchema } from "./common.ts";
import { sessionSchema } from "./handoff.ts";
import { capabilitySchema } from "./org-keys.ts";
import { personSchema, recoveryCodeSchema } from "./persons.ts";

/** The checked state of values, as a page shows it. */
export const keyCheckSchema = z
  .discriminatedUnion("status", [
    z.object({
      status: z.literal("valid"),
      account: z.string().optional(),
      mode: z.enum(keyModes).optional(),
      capabilities: z.array(capabilitySchema).readonly(),
      warnings: z.array(z.string()).readonly(),
    }),
    z.object({
      status: z.literal("invalid"),
      envVar: z.string().meta({ description: "the field to fix" }),
      code: z.enum(invalidKeyCodes),
      message: z.string(),
      remedy: z.string(),
    }),
    z.object({
      status: z.literal("undetermined"),
      code: z.enum(undeterminedCodes),
      message: z.string(),
      retryAfterSeconds: z.number().int().optional(),
    }),
  ])
  .meta({ id: "KeyCheck" });

/** Values of one connector by variable name: in the clear, or sealed to the session's key. */
export const keySubmissionSchema = z
  .union([
    z.strictObject({ values: keyValuesSchema }),
    z.strictObject({
      sealed: z
        .string()
        .regex(/^[A-Za-z0-9_-]+$/, "base64url")
        .max(limits.bodyBytesMax)
        .meta({ description: "base64url of a sealed box over the JSON of `{values}`" }),
    }),
  ])
  .meta({ id: "KeySubmission" });

const expectedVersion = z.number().int().meta({
  description: "the `version` of the settings that this change is based on; any other is answered with 409",
});

export const saveKeysBodySchema = z
  .strictObject({ submission: keySubmissionSchema, expectedVersion })
  .meta({ id: "SaveKeys" });
export const validateKeysBodySchema = z
  .strictObject({ submission: keySubmissionSchema })
  .meta({ id: "ValidateKeys" });
export const changeSettingsBodySchema = z.strictObject({ expectedVersion }).meta({ id: "ChangeSettings" });
const previewAnswers = z.record(z.string().max(64), z.boolean()).meta({
  description: "by connector: whether the build's own env may hold the user's values until the end",
});
export const previewBodySchema = z
  .strictObject({ preview: previewAnswers, expectedVersion })
  .meta({ id: "ChangePreview" });
export const swapBodySchema = z
  .strictObject({
    connectors: z.array(z.string().max(64)).min(1).max(32).readonly().optional().meta({
      description: "default: every connector with saved keys",
    }),
    /** Only ask the gates; nothing changes. */
    dryRun: z.boolean().default(false),
    preview: previewAnswers.optional().meta({
      description: "default: `previewDefault` of each binding",
    }),
    expectedVersion,
  })
  .meta({ id: "Swap" });

/** What was fixed in what the user gave, such as quotes around a value. */
export const repairSchema = z.object({ name: z.string(), message: z.string() }).meta({ id: "Repair" });

export const validateKeysSchema = z
  .object({ check: keyCheckSchema, repairs: z.array(repairSchema).readonly() })
  .meta({ id: "ValidatedKeys" });

export const savedKeysSchema = z
  .object({
    fields: z
      .array(
        z.object({
          name: z.string(),
          preview: z.string().meta({ description: "masked; shows at most the last four characters" }),
        }),
      )
      .readonly(),
    fingerprint: z.string(),
    savedAt: timestampSchema,
    checkedAt: timestampSchema,
    check: keyCheckSchema,
  })
  .meta({ id: "SavedKeys" });

export const bindingSchema = z
  .object({
    connector: z.string(),
    source: z.enum(["org", "user"]).meta({ description: "whose keys the app uses now" }),
    grade: z.enum(isolationGrades),
    gradeMeaning: z.string(),
    saved: savedKeysSchema
      .optional()
      .meta({ description: "the user's own keys, in use or waiting for the swap" }),
    swappedAt: timestampSchema.optional(),
    previewDefault: z
      .boolean()
      .optional()
      .meta({ description: "what the page preselects at the switch; present once keys are saved" }),
    preview: z
      .object({
        allowed: z.boolean(),
        asked: z.boolean().meta({ description: "false: switched before the question existed" }),
        reads: z
          .number()
          .int()
          .meta({ description: "how many answers of the build's env held the user's values" }),
        lastReadAt: timestampSchema.optional(),
      })
      .optional()
      .meta({ description: "whether the build may use the user's keys; present once they are in use" }),
  })
  .meta({ id: "Binding" });

export const gateResultSchema = z
  .object({
    gate: z.string(),
    status: z.enum(gateStatuses),
    connector: z.string().optional(),
    variable: z.string().optional(),
    message: z.string(),
    remedy: z.string().optional(),
  })
  .meta({ id: "GateResult" });

export const settingsSchema = z
  .object({
    build: z.object({
      id: z.string(),
      name: z.string(),
      state: z.enum(buildStates as [string, ...string[]]),
      profile: z.enum(envProfiles),
      keptUntil: timestampSchema.optional().meta({
        description:
          "when the build closes automatically, with everything that was saved; absent once it does not",
      }),
    }),
    version: z.number().int(),
    session: sessionSchema,
    bindings: z.array(bindingSchema).readonly(),
    revertWindowSeconds: z
      .number()
      .int()
      .meta({ description: "how long after a swap it is possible to go back to the lent keys" }),
    canGoBack: z.boolean().meta({
      description: "whether a switch to what is saved now could be undone: false where what was lent is gone",
    }),
    revertibleUntil: timestampSchema.optional(),
    lentUntil: timestampSchema.optional().meta({
      description: "when the lent keys that the app uses end, unless the build is renewed",
    }),
    downloadedAt: timestampSchema
      .optional()
      .meta({ description: "the first download of the whole env file since the switch" }),
    finishedAt: timestampSchema.optional(),
    lendingEndsAt: timestampSchema
      .optional()
      .meta({ description: "when everything that was lent ends automatically, finished or not" }),
    lendingEndedAt: timestampSchema.optional(),
    adminRevert: z
      .object({ at: timestampSchema, reason: z.string() })
      .optional()
      .meta({ description: "the operator let the app use lent keys again, and why" }),
    person: personSchema,
  })
  .meta({ id: "Settings" });

/** What a save answers: the first one makes its session the build's person, and shows the recovery code. */
export const savedAnswerSchema = validateKeysSchema
  .extend({ settings: settingsSchema, recovery: recoveryCodeSchema.optional() })
  .meta({ id: "SavedAnswer" });

export const swapResultSchema = z
  .object({ gates: z.array(gateResultSchema).readonly(), settings: settingsSchema })
  .meta({ id: "SwapResult" });

export const envFileQuerySchema = z.strictObject({
  format: z.enum(envFormats).default("dotenv"),
  profile: z.enum(envProfiles).optional(),
  preview: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "`true`: the same file with every value hidden" }),
});

export type SavedAnswer = z.output<typeof savedAnswerSchema>;
/** The validator's own answer; the schema above is how it travels. */
export type KeyCheck = ValidationResult;
export type KeySubmission = z.output<typeof keySubmissionSchema>;
export type Repair = z.output<typeof repairSchema>;
export type ValidatedKeys = z.output<typeof validateKeysSchema>;
export type SavedKeys = z.output<typeof savedKeysSchema>;
export type BindingView = z.output<typeof bindingSchema>;
export type SettingsView = z.output<typeof settingsSchema>;
export type SwapResult = z.output<typeof swapResultSchema>;
