import { createHash } from "node:crypto";
import type { Connector, DatabaseSummary } from "@keyloan/contract";
import {
  at,
  countRows,
  type ObjectManifest,
  takeBackCopy,
  transferDatabase,
  transferObjects,
} from "@keyloan/database-provisioner";
import type { StoredProgress, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { withRetry } from "../../queue/backoff.ts";
import { type Movable, mayAct } from "./movable.ts";
import { openEnds, setSourceWritable } from "./transfer-ends.ts";
import { askedTooLongAgo, endsGone, type TransferWatch } from "./watch-transfer.ts";
import { writtenFor } from "./written-objects.ts";

const patienceMs = 60_000;

/** What was moved, and proven to be the same at both ends. */
export type Moved =
  | { readonly kind: "database"; readonly summary: DatabaseSummary }
  | { readonly kind: "storage"; readonly manifest: ObjectManifest };

/**
 * Copies what a connector holds to the user's account and proves the copy. A database takes no writes from here on.
 * @throws BrokerError, ProviderError or TransferFailure; what was begun is the caller's to undo
 */
export async function moveData(
  deps: Deps,
  row: TransferRow,
  { connector, movable }: { readonly connector: Connector; readonly movable: Movable },
  watch: TransferWatch,
): Promise<Moved> {
  if (!mayAct(row, deps.now())) throw askedTooLongAgo();
  const ends = await openEnds(deps, row, connector, watch.signal);
  if (ends === undefined) throw endsGone();
  const beforeWriting = () => watch.keepNow({}, { target: "part" });
  const hooks = { ...ends, onProgress: watch.reportStep, beforeWriting };
  const begun = row.progress?.target;
  if (movable.kind === "storage") {
    const { storage } = movable;
    const written = writtenFor(deps, row);
    const options = {
      overwrite: row.overwrite,
      resuming: begun !== undefined,
      written,
      retry: patientCall(deps),
    };
    return { kind: "storage", manifest: await transferObjects({ ...hooks, ...options, storage }) };
  }
  await freeze(deps, row, watch);
  const { content } = movable;
  if (begun !== undefined) {
    const whole =
      begun === "whole" ? { whole: { isAsProven: isAsProven(row), beforeTaking: beforeWriting } } : {};
    await at("target", takeBackCopy({ content, to: ends.to, owner: row.id, ...whole }));
  }
  const summary = await transferDatabase({
    ...hooks,
    content,
    owner: row.id,
    // The user's yes was for what was there then: it is used up when something of ours is there.
    mayEmpty: row.overwrite && begun === undefined,
    afterProof: (summary) => watch.keepNow({}, { target: "whole", provenSha256: summarySha256(summary) }),
  });
  return { kind: "database", summary };
}

/** What a proven copy is known by afterwards. */
export function provenMarks(moved: Moved): Partial<StoredProgress> & Pick<StoredProgress, "provenSha256"> {
  if (moved.kind === "storage") {
    const { objects, bytes, listSha256 } = moved.manifest;
    const counts = { objects, objectsTotal: objects, bytes, bytesTotal: bytes };
    return { ...counts, provenSha256: listSha256 };
  }
  const rows = countRows(moved.summary);
  return { rows, rowsTotal: rows, provenSha256: summarySha256(moved.summary) };
}

/** Whether a copy still is what was proven of it. */
export const isAsProven =
  ({ progress }: Pick<TransferRow, "progress">) =>
  (summary: DatabaseSummary) =>
    summarySha256(summary) === progress?.provenSha256;

function summarySha256({ schemaSha256, tables }: DatabaseSummary): string {
  const facts = [schemaSha256, ...tables.map(({ name, rows, sha256 }) => [name, rows, sha256])];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

/** One file may fail for a minute before all are given up. */
function patientCall(deps: Deps) {
  return <T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    withRetry(deps, { untilMs: deps.now() + patienceMs, signal }, call);
}

async function freeze(deps: Deps, row: TransferRow, watch: TransferWatch): Promise<void> {
  watch.reportStep({ phase: "freezing" });
  const lease = await deps.store.read.leases.find(row.leaseId);
  if (lease?.state !== "active") throw endsGone();
  const details = { connector: row.connectorId, transferId: row.id };
  // Kept before it is done: whatever instant this process ends at, it is known that writing must be let again.
  await watch.keepNow({ frozenAt: row.frozenAt ?? deps.now() }, {}, async (tx) =>
    tx.audit("transfer.frozen", row.buildId, details),
  );
  await setSourceWritable(deps, lease, false, watch.signal);
}
