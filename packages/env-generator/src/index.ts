export { type EnvFileLine, namesInEnvFile, parseEnvFile, serialiseEnvFile } from "./env-file.ts";
export { EnvFileError, type EnvFileErrorCode, type EnvFilePlace } from "./env-file-error.ts";
export { EnvFormatError, type EnvFormatErrorCode } from "./env-format-error.ts";
export type { EnvGroup, EnvLine } from "./env-line.ts";
export { mergeEnv, mergeEnvText } from "./merge-env.ts";
export { type RenderOptions, renderEnv } from "./render-env.ts";
export { type ConnectorValues, copySets, type EnvLineOptions, toEnvLines } from "./to-env-lines.ts";
