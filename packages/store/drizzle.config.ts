import { defineConfig } from "drizzle-kit";

export default defineConfig({ dialect: "sqlite", schema: "./src/tables/schema.ts", out: "./src/migrations" });
