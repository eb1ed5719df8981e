export * from "./libsql/index.ts";
