export { ready } from "./cipher.ts";
export { createRootKey } from "./create-root-key.ts";
export {
  closeDataKey,
  createDataKey,
  type DataKey,
  type DataKeyRecord,
  openDataKey,
  promiseState,
  rewrapDataKey,
} from "./data-key.ts";
export {
  openBytes,
  openValue,
  openValues,
  plaintextBytesMax,
  type SealContext,
  sealBytes,
  sealValue,
  sealValues,
} from "./envelope.ts";
export { createFingerprinter, type Fingerprinter } from "./fingerprint.ts";
export { type Keyring, parseKeyring } from "./keyring.ts";
export { KeyringError, type KeyringErrorCode } from "./keyring-error.ts";
export { createHashMac, createRowMac, isAuthenticRow, type MacRow, type RowMac, rowMac } from "./row-mac.ts";
export { openStream, sealStream, streamChunkBytes } from "./sealed-stream.ts";
export { createSubmissionKeyPair, openSubmission, type SubmissionKeyPair } from "./sealed-submission.ts";
export { createTokenCheck, type TokenCheck } from "./token-check.ts";
export { VaultError, type VaultErrorCode } from "./vault-error.ts";
