export {
  checkProduction,
  type ProductionFinding,
  type ProductionOptions,
} from "./check-production.ts";
export { compareWithExample, type ExampleComparison, type MissingVariable } from "./compare-with-example.ts";
export type { DeclaredVariable, DeclaresVariables } from "./declared-variable.ts";
export { AgeRecipientError, encryptForAge } from "./encrypt-for-age.ts";
export { type EnvFileLine, namesInEnvFile, parseEnvFile, serialiseEnvFile } from "./env-file.ts";
export { EnvFileError, type EnvFileErrorCode, type EnvFilePlace } from "./env-file-error.ts";
export { EnvFormatError, type EnvFormatErrorCode } from "./env-format-error.ts";
export type { EnvGroup, EnvLine } from "./env-line.ts";
export { mergeEnv, mergeEnvText } from "./merge-env.ts";
export type { Refusal } from "./refusal.ts";
export { formatsFor, type RenderOptions, refusalOf, renderEnv } from "./render-env.ts";
export {
  type ProductionEnv,
  type ProductionEnvOptions,
  renderProductionEnv,
} from "./render-production-env.ts";
export { type ConnectorValues, copySets, type EnvLineOptions, toEnvLines } from "./to-env-lines.ts";
