import { schemaTooLarge } from "./errors.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { type DumpValue, isSmall } from "./values.ts";

/** The largest schema that is held, in characters: those of all its texts, and `sizePerText` for each text. */
export const schemaSizeMax = 16 * 1024 * 1024;
/** What a text takes in addition to its characters: a string object and a place in a list. */
const sizePerText = 64;
/** Counts tables, indexes, views and triggers, including those that the database makes by itself. */
export const definitionsMax = 20_000;
/** FTS5 has about a dozen settings. */
export const settingsMax = 100;

/** How much one reading of a schema may still hold; everything that it keeps is deducted from this first. */
export type SchemaBudget = {
  /** @throws ProviderError `rejected` when it is more than is left */
  readonly take: (texts: readonly DumpValue[]) => void;
};

export function createSchemaBudget({ provider }: Pick<LibsqlDatabase, "provider">): SchemaBudget {
  let left = schemaSizeMax;
  return {
    take: (texts) => {
      for (const text of texts) left -= sizePerText + charactersOf(text);
      if (left < 0) throw schemaTooLarge(provider, `takes more than ${schemaSizeMax / 1024 / 1024} MB`);
    },
  };
}

function charactersOf(value: DumpValue): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || !isSmall(value)) return 0;
  return Object.values(value).reduce((sum: number, text: string) => sum + text.length, 0);
}
