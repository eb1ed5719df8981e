import { schemaTooLarge } from "./errors.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { type DumpValue, isSmall } from "./values.ts";

/** How much of a schema is ever held, in characters of all its texts and what each of them takes beside them. */
export const schemaSizeMax = 16 * 1024 * 1024;
/** Beside its characters a text takes a string, and its place in a list. */
const sizePerText = 64;
/** Of tables, indexes, views and triggers, those that the database makes by itself included. */
export const definitionsMax = 20_000;
/** FTS5 knows about a dozen. */
export const settingsMax = 100;

/** What one reading of a schema may still take in; everything that it keeps is taken from here first. */
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
