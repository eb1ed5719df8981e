export type { ArchiveStore, StoredArchive } from "./archive.ts";
export { type ArchiveStoreOptions, openArchiveStore } from "./archive-store.ts";
