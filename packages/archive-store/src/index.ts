export {
  type ArchiveStore,
  type ArchiveStoreOptions,
  openArchiveStore,
  type StoredArchive,
} from "./archive-store.ts";
