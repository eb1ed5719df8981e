import { createHash } from "node:crypto";
import {
  type ArchiveProgress,
  BrokerError,
  type DatabaseContent,
  type DatabaseSummary,
} from "@keyloan/contract";
import { compress, decompress } from "./compress.ts";
import { differences } from "./transfer-database.ts";
import type { TransferEnd } from "./transfer-failure.ts";

/** The length of a sealed file, and its SHA-256 in hex. */
export type SealedFile = { readonly bytes: number; readonly sha256: string };

/** Where one archive is kept, and what seals and opens it. */
export type ArchiveMedium = {
  readonly seal: (plain: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Throws, at the stream's end at the latest, if it is not what was sealed. */
  readonly open: (sealed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly put: (sealed: AsyncIterable<Uint8Array>) => Promise<SealedFile>;
  readonly get: () => AsyncIterable<Uint8Array>;
};

export type OnArchiveProgress = (progress: ArchiveProgress) => void;

export type DatabaseArchiving = {
  readonly content: DatabaseContent;
  readonly source: TransferEnd;
  /** Creates the empty database that the archive is loaded into to prove it. */
  readonly makeScratch: () => Promise<TransferEnd>;
  readonly medium: ArchiveMedium;
  readonly onProgress: OnArchiveProgress;
};

export type ProvenArchive = SealedFile & { readonly summary: DatabaseSummary };

/**
 * Archives the content of a database that nobody writes to and proves the archive: reads it back, loads it into another
 * database, and compares the schema, and the rows and a hash of each table, read from both. The memory it needs does
 * not grow with the database.
 * @throws BrokerError `not_faithful`, ProviderError, or what the medium throws; a file may be left then
 */
export async function archiveDatabase(archiving: DatabaseArchiving): Promise<ProvenArchive> {
  const { content, source, medium, onProgress } = archiving;
  onProgress({ phase: "dumping" });
  await content.finishWrites(source.context, source.values);
  const dump = content.dump(source.context, source.values, toPhase("dumping", onProgress));
  const file = await medium.put(medium.seal(compress(dump)));
  onProgress({ phase: "loading" });
  const scratch = await archiving.makeScratch();
  await loadArchive({ content, target: scratch, medium, file, onProgress });
  onProgress({ phase: "comparing" });
  const onRows = toPhase("comparing", onProgress);
  const loaded = await content.summarize(scratch.context, scratch.values, onRows);
  const summary = await content.summarize(source.context, source.values, onRows);
  const differing = differences(summary, loaded);
  if (differing.length > 0) throw archiveNotFaithful(differing);
  return { ...file, summary };
}

export type DatabaseRestoring = {
  readonly content: DatabaseContent;
  /** Must be empty. */
  readonly target: TransferEnd;
  readonly medium: ArchiveMedium;
  readonly archive: ProvenArchive;
  readonly onProgress: OnArchiveProgress;
};

/**
 * Fills an empty database from an archive and proves that it contains what was archived.
 * @throws BrokerError `not_faithful`, also for an altered file, ProviderError, or what the medium throws
 */
export async function restoreDatabase(restoring: DatabaseRestoring): Promise<void> {
  const { content, target, medium, archive, onProgress } = restoring;
  onProgress({ phase: "loading" });
  await loadArchive({ content, target, medium, file: archive, onProgress });
  onProgress({ phase: "comparing" });
  const loaded = await content.summarize(target.context, target.values, toPhase("comparing", onProgress));
  const differing = differences(archive.summary, loaded);
  if (differing.length > 0) throw archiveNotFaithful(differing);
}

/** Yields the dump in an archive. Throws BrokerError `not_faithful` if the file is not the one that was stored. */
export async function* readArchive(
  medium: ArchiveMedium,
  file: SealedFile,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* decompress(medium.open(exactly(medium.get(), file)));
  } catch (error) {
    throw isZlibError(error) ? archiveAltered(error) : error;
  }
}

/** Reads a file to its end. @throws BrokerError `not_faithful` if it is not the one that was stored */
export async function verifyFile(sealed: AsyncIterable<Uint8Array>, file: SealedFile): Promise<void> {
  for await (const _piece of exactly(sealed, file));
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^Z(?:STD)?_/.test(String(error.code));
}

async function loadArchive(loading: {
  readonly content: DatabaseContent;
  readonly target: TransferEnd;
  readonly medium: ArchiveMedium;
  readonly file: SealedFile;
  readonly onProgress: OnArchiveProgress;
}): Promise<void> {
  const { content, target, medium, file, onProgress } = loading;
  let broken: { readonly error: unknown } | undefined;
  async function* dump() {
    try {
      yield* readArchive(medium, file);
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  try {
    await content.load(target.context, target.values, dump(), toPhase("loading", onProgress));
  } catch (error) {
    // The loader may have replaced the error of the dump with its own.
    throw broken === undefined ? error : broken.error;
  }
}

function toPhase(phase: ArchiveProgress["phase"], onProgress: OnArchiveProgress) {
  return ({ rows, bytes, item }: { rows: number; bytes: number; item?: string }) =>
    onProgress({ phase, rows, bytes, ...(item === undefined ? {} : { item }) });
}

/** Passes on no more bytes than were stored, and throws if they are not exactly those. */
async function* exactly(sealed: AsyncIterable<Uint8Array>, file: SealedFile) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of sealed) {
    bytes += piece.length;
    if (bytes > file.bytes) throw archiveAltered();
    hash.update(piece);
    yield piece;
  }
  if (bytes !== file.bytes || hash.digest("hex") !== file.sha256) throw archiveAltered();
}

/** The 409 for a file that is not the one that was stored. */
export function archiveAltered(cause?: unknown): BrokerError {
  return new BrokerError(
    "not_faithful",
    "the archive's file is not the one that was made: it was cut off or altered",
    {
      remedy: "Restore the archive's file from a backup of the folder or bucket of archives, then try again.",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

function archiveNotFaithful(differing: readonly string[]): BrokerError {
  return new BrokerError("not_faithful", "what was read back does not hold the same data as the database", {
    remedy:
      "The database stays as it is. Try again; if it happens again, exclude it from archiving and report it.",
    details: { differing: differing.slice(0, 20) },
  });
}
