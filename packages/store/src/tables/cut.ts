import { type Column, type SQL, sql } from "drizzle-orm";

/**
 * Whether an id is a text as ours are. What has another one could not be named, and so not be ended. A length in
 * characters ends at a NUL.
 */
export const isNamed = (id: Column): SQL =>
  sql`(typeof(${id}) = 'text' AND length(${id}) = octet_length(${id}) AND ${id} NOT GLOB '*[^a-z0-9_-]*')`;

/**
 * The value of a column, or nothing when it is longer than any that the broker writes: whoever writes to the file may
 * have put gigabytes there. Asking for the length reads none of it.
 */
export function cut<T = string | null>(column: Column, bytesMax: number): SQL<T> {
  return sql<T>`CASE WHEN octet_length(${column}) <= ${bytesMax} THEN ${column} END`;
}

/** The same of a text that must be there: an empty one in its place. */
export function cutText(column: Column, bytesMax: number): SQL<string> {
  return sql<string>`coalesce(${cut(column, bytesMax)}, '')`;
}
