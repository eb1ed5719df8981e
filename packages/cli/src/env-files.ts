// A bundle of its own in dist: only the commands that work on env files read it.
export { findVariable, parsePastedEnv } from "@keyloan/contract";
export {
  AgeRecipientError,
  compareWithExample,
  EnvFileError,
  encryptForAge,
  mergeEnvText,
  namesInEnvFile,
} from "@keyloan/env-generator";
