import type { LibSQLDatabase } from "drizzle-orm/libsql";

/** What table modules run their queries on: the pool for reads, the open transaction for writes. */
export type Database = LibSQLDatabase<Record<string, never>>;
