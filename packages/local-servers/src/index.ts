export * from "./libsql/index.ts";
export * from "./s3/index.ts";
