export {
  type ArchiveMedium,
  archiveAltered,
  archiveDatabase,
  type DatabaseArchiving,
  type DatabaseRestoring,
  type OnArchiveProgress,
  type ProvenArchive,
  readArchive,
  restoreDatabase,
  type SealedFile,
  verifyFile,
} from "./archive-database.ts";
export {
  type HashedObject,
  listOf,
  manifestOf,
  type ObjectList,
  type ObjectManifest,
} from "./object-manifest.ts";
export type { WrittenObjects } from "./place-object.ts";
export { takeBackCopy } from "./take-back.ts";
export { type IssuerTools, toIssuer } from "./to-issuer.ts";
export {
  countRows,
  type DatabaseTransfer,
  differences,
  isEmptyDatabase,
  notFaithful,
  targetNotEmpty,
  transferDatabase,
} from "./transfer-database.ts";
export { at, type TransferEnd, TransferFailure, type TransferSide } from "./transfer-failure.ts";
export {
  isEmptyStorage,
  listObjects,
  type ObjectTransfer,
  transferObjects,
} from "./transfer-objects.ts";
export { type WaitLimits, type WaitTools, waitUntil } from "./wait-until.ts";
