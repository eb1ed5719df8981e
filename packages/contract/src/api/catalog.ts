import * as z from "zod";
import { connectorCategories, isolationGrades } from "../field.ts";

const fieldShape = {
  name: z.string(),
  label: z.string(),
  help: z.string().optional(),
  helpUrl: z.string().optional(),
  secret: z.boolean(),
  pattern: z.string().optional(),
  example: z.string().optional(),
  optional: z.boolean().optional(),
};

export const fieldSpecSchema = z.object(fieldShape).meta({ id: "Field" });

export const envVarSpecSchema = z
  .object({
    ...fieldShape,
    exposure: z.enum(["server", "browser"]),
    aliases: z.array(z.string()).readonly().optional(),
    copies: z.record(z.string(), z.array(z.string()).readonly()).optional(),
    family: z.boolean().optional(),
    ifUnset: z.string().optional(),
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
    orgFields: z.array(fieldSpecSchema).readonly(),
    env: z.array(envVarSpecSchema).readonly(),
  })
  .meta({ id: "CatalogEntry" });

export const catalogSchema = z
  .object({ connectors: z.array(catalogEntrySchema).readonly() })
  .meta({ id: "Catalog" });

export type CatalogEntry = z.output<typeof catalogEntrySchema>;
export type Catalog = z.output<typeof catalogSchema>;
