export { EnvFormatError, type EnvFormatErrorCode } from "./env-format-error.ts";
export type { EnvGroup, EnvLine } from "./env-line.ts";
export { type RenderOptions, renderEnv } from "./render-env.ts";
export { type ConnectorValues, copySets, type EnvLineOptions, toEnvLines } from "./to-env-lines.ts";
