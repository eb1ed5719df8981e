import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { BrokerError, type ConnectorContext, ProviderError, type SecretValues } from "@keyloan/contract";
import { differences, readArchive } from "@keyloan/database-provisioner";
import type { LeaseRow } from "@keyloan/store";
import { type By, beforeHandingOut, recordAudit } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import type { Held } from "../../queue/slots.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { requirePerson } from "../settings/take-step.ts";
import { type BuildDatabase, findDatabase } from "./archivable.ts";
import { archiveMedium } from "./archive-medium.ts";
import { makeDownloadFolder } from "./download-folder.ts";
import { streamFile } from "./stream-file.ts";

const triesMax = 3;
const deadlineMs = 30 * 60_000;

export type DatabaseFile = {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /**
   * Read it to its end or cancel it: no folder has the file any more, and it closes with it. Until then it is the only
   * one of its build. It ends by itself when nobody reads it.
   */
  readonly content: ReadableStream<Uint8Array>;
};

/**
 * A database of a build as a file that its own tools open, from the archive when it is archived. It holds what the
 * database held at one moment: one that is written to meanwhile is read again.
 * @throws BrokerError `person_only` or `session_expired` for a visit that somebody else's first save came before,
 * `not_found`, `not_supported`, `build_closed`, `not_ready` when it is written to all the time, `not_faithful` for an archive that was altered, `unavailable` when the disk is full,
 * `rate_limited` when too many files wait for their readers; ProviderError
 */
export async function downloadDatabase(
  deps: Deps,
  by: By,
  buildId: string,
  connectorId: string,
  requested: AbortSignal,
): Promise<DatabaseFile> {
  const found = await findDatabase(deps, buildId, connectorId);
  const { lease, archivable } = found;
  const signal = AbortSignal.any([requested, AbortSignal.timeout(deadlineMs)]);
  const of = { connector: connectorId, lease: lease.id, from: lease.state };
  const audit = (action: string, more: Readonly<Record<string, unknown>>) =>
    recordAudit(deps, { ...by, action, entity: buildId, details: { ...of, ...more } });
  let isBegun = false;
  const begin = async () => {
    await audit("database.downloading", {});
    isBegun = true;
  };
  let held: Held<OpenFile>;
  try {
    held = await deps.fileSlots.hold(buildId, signal, () => makeFile(deps, found, begin, signal));
  } catch (error) {
    // What was refused before is counted with the other refusals of its caller.
    if (isBegun) await audit("database.download_failed", { code: codeOf(error) });
    throw error;
  }
  const file = held.value;
  const letGo = deps.heldFiles.hold(file.bytes);
  const content = streamFile(file, deps.sleep, () => {
    letGo();
    held.release();
  });
  try {
    // Making the file takes long enough for somebody else to become the person, or for a token to be revoked.
    await beforeHandingOut(deps, () =>
      deps.change(by, [buildId], async (tx) => {
        await requirePerson(deps, tx);
        tx.audit("database.downloaded", buildId, { ...of, bytes: file.bytes });
      }),
    );
  } catch (error) {
    await content.cancel();
    throw error;
  }
  const { extension, mediaType } = archivable.content.file;
  return { name: `${connectorId}.${extension}`, mediaType, bytes: file.bytes, content };
}

type OpenFile = { readonly handle: FileHandle; readonly bytes: number };

/**
 * @param begin writes down that it begins; called when nothing refuses it, before anything is read
 * @returns the file, open, and off the disk already
 */
async function makeFile(
  deps: Deps,
  found: BuildDatabase,
  begin: () => Promise<void>,
  signal: AbortSignal,
): Promise<OpenFile> {
  deps.heldFiles.refuseMore();
  const write = await writerOf(deps, found, signal);
  await begin();
  const folder = await makeDownloadFolder(deps.config.dataDirectory).catch(refuseFull);
  const path = join(folder, `database.${found.archivable.content.file.extension}`);
  try {
    await deps.movingSlots.run(signal, () => write(path));
    const handle = await open(path, "r");
    return { handle, bytes: (await handle.stat()).size };
  } catch (error) {
    return refuseFull(error);
  } finally {
    // What is open can be read to its end; nothing of it stays on the disk, whatever happens next.
    await rm(folder, { recursive: true, force: true });
  }
}

const codeOf = (error: unknown) =>
  error instanceof BrokerError || error instanceof ProviderError ? error.code : "internal";

type WriteFile = (path: string) => Promise<void>;

/**
 * How the file of a database is written, from the archive when it is archived.
 * @throws BrokerError `not_ready` when there is nothing to read
 */
async function writerOf(deps: Deps, found: BuildDatabase, signal: AbortSignal): Promise<WriteFile> {
  const { lease, archivable } = found;
  const { content, connector } = archivable;
  if (lease.state === "archived") return archiveWriterOf(deps, found, signal);
  if (lease.state !== "active" || lease.env === null) throw notReadable(lease);
  const { env, buildId } = lease;
  return async (path) => {
    const values = await withDataKey(deps, buildId, (key) => openLease(key, lease.id, env));
    const context = deps.contextFor(connector, signal);
    for (let tries = 0; tries < triesMax; tries++) {
      if (await writeUnchanged(content, context, values, path)) return;
      await rm(path, { force: true });
    }
    throw new BrokerError("not_ready", "the database is constantly being written to", {
      remedy: "Stop the app for a moment, then ask again.",
      retryAfterSeconds: 30,
    });
  };
}

/** False when the database was written to while it was read, so that the file may mix two moments. */
async function writeUnchanged(
  content: BuildDatabase["archivable"]["content"],
  context: ConnectorContext,
  values: SecretValues,
  path: string,
): Promise<boolean> {
  const before = await content.summarize(context, values);
  await content.writeFile(content.dump(context, values), path, context.signal);
  return differences(before, await content.summarize(context, values)).length === 0;
}

async function archiveWriterOf(
  deps: Deps,
  { lease, archivable }: BuildDatabase,
  signal: AbortSignal,
): Promise<WriteFile> {
  const archives = await deps.store.read.archives.listByLease(lease.id);
  const archive = archives.find(({ state }) => state === "verified");
  if (archive === undefined || archive.bytes === null || archive.sha256 === null) throw notReadable(lease);
  const { bytes, sha256 } = archive;
  return (path) => {
    const dump = readArchive(archiveMedium(deps, archive, signal), { bytes, sha256 });
    return archivable.content.writeFile(dump, path, signal);
  };
}

/** @throws BrokerError `unavailable` for a disk without room; any other failure as it is */
function refuseFull(error: unknown): never {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
  throw new BrokerError("unavailable", "the broker's disk has no space for a file of this database", {
    remedy:
      "Ask the operator to free space in KEYLOAN_DATA_DIR, then download it again; the database was not changed.",
    cause: error,
  });
}

function notReadable({ connectorId, state }: LeaseRow): BrokerError {
  return new BrokerError("not_ready", `the database of ${connectorId} is ${state}, so it cannot be read`, {
    remedy: "See its state with `keyloan db list`.",
  });
}
