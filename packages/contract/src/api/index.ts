export * from "./audit.ts";
export * from "./builds.ts";
export * from "./catalog.ts";
export * from "./common.ts";
export * from "./health.ts";
export * from "./org-keys.ts";
export * from "./settings.ts";
export * from "./tokens.ts";
