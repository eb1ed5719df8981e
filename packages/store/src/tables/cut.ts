import { type Column, type SQL, sql } from "drizzle-orm";

/**
 * Whether an id has the form of ours. A row with another id could not be named, and so not be ended. The lengths are
 * compared because `length` stops at a NUL.
 */
export const isNamed = (id: Column): SQL =>
  sql`(typeof(${id}) = 'text' AND length(${id}) = octet_length(${id}) AND ${id} NOT GLOB '*[^a-z0-9_-]*')`;

/**
 * The value of a column, or null if it is longer than any that the broker writes: anyone who can write to the file may
 * have put gigabytes there. Asking for the length reads none of it.
 */
export function cut<T = string | null>(column: Column, bytesMax: number): SQL<T> {
  return sql<T>`CASE WHEN octet_length(${column}) <= ${bytesMax} THEN ${column} END`;
}

/** The same for a text that must not be null: an empty text instead of null. */
export function cutText(column: Column, bytesMax: number): SQL<string> {
  return sql<string>`coalesce(${cut(column, bytesMax)}, '')`;
}
