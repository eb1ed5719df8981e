import type { LibSQLDatabase } from "drizzle-orm/libsql";

/** The handle that table modules run their queries on: the reader's, or the writer's inside a transaction. */
export type Database = LibSQLDatabase<Record<string, never>>;
