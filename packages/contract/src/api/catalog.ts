import * as z from "zod";
import { connectorCategories, envVarRoles, isolationGrades } from "../field.ts";

const beginnings = z.array(z.string()).readonly();

const fieldShape = {
  name: z.string(),
  label: z.string(),
  help: z.string().optional(),
  helpUrl: z.string().optional(),
  secret: z.boolean(),
  identifies: z.boolean().optional(),
  pattern: z.string().optional(),
  begins: z
    .union([beginnings, z.object({ test: beginnings, live: beginnings })])
    .optional()
    .meta({ description: "what every value starts with; for test and for live keys where both exist" }),
  unmistakable: z.string().optional(),
  example: z.string().optional(),
  optional: z.boolean().optional(),
};

export const fieldSpecSchema = z.object(fieldShape).meta({ id: "Field" });

export const ownValueSchema = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("typed") }),
    z.object({ kind: z.literal("default"), value: z.string() }),
    z.object({ kind: z.literal("generated"), bytes: z.number().int() }),
    z.object({ kind: z.literal("absent") }),
  ])
  .meta({
    id: "OwnValue",
    description: "where the value comes from once the user's own keys are used; absent: the user types it",
  });

export const connectorGuideSchema = z
  .object({ url: z.string(), steps: z.array(z.string()).readonly() })
  .meta({ id: "ConnectorGuide", description: "how users get their own keys, one action per step" });

export const envVarSpecSchema = z
  .object({
    ...fieldShape,
    exposure: z.enum(["server", "browser"]),
    aliases: z.array(z.string()).readonly().optional(),
    copies: z.record(z.string(), z.array(z.string()).readonly()).optional(),
    family: z.boolean().optional(),
    ifUnset: z.string().optional(),
    own: ownValueSchema.optional(),
    role: z.enum(envVarRoles).optional(),
  })
  .meta({ id: "EnvVariable" });

export const catalogEntrySchema = z
  .object({
    id: z.string(),
    label: z.string(),
    category: z.enum(connectorCategories),
    summary: z.string(),
    grade: z.enum(isolationGrades),
    gradeMeaning: z.string(),
    revocation: z.string(),
    guide: connectorGuideSchema.optional(),
    onSwap: z.string().optional().meta({
      description: "what happens to the data that the app stored when the user's own keys are swapped in",
    }),
    orgFields: z.array(fieldSpecSchema).readonly(),
    env: z.array(envVarSpecSchema).readonly(),
  })
  .meta({ id: "CatalogEntry" });

export const catalogSchema = z
  .object({ connectors: z.array(catalogEntrySchema).readonly() })
  .meta({ id: "Catalog" });

export type CatalogEntry = z.output<typeof catalogEntrySchema>;
export type Catalog = z.output<typeof catalogSchema>;
