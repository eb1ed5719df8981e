import { idPrefixes, idSuffix } from "@keyloan/contract";
import type { TransferEnd } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { credentialToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";
import type { Archivable } from "./archivable.ts";

const makeDeadlineMs = 120_000;
/** Longer than any archiving: a token that ends by itself if everything else fails. */
const lifetimeMs = 24 * 3_600_000;

/** What the scratch database of an archive is planned by: it has no lease, and its names come of the archive's id. */
export function scratchRequest(
  archiveId: string,
  lease: Pick<LeaseRow, "buildId" | "options" | "createdAt">,
  now: number,
) {
  return {
    leaseId: `${idPrefixes.lease}_${idSuffix(archiveId)}`,
    buildId: lease.buildId,
    expiresAt: now + lifetimeMs,
    options: lease.options,
  };
}

/** Makes the scratch database of an archive, or adopts it. @throws ProviderError when the provider does not */
export async function makeScratch(
  deps: Deps,
  { connector }: Archivable,
  lease: LeaseRow,
  archive: ArchiveRow,
  signal: AbortSignal,
): Promise<TransferEnd> {
  const context = deps.contextFor(connector, signal);
  const untilMs = deps.now() + makeDeadlineMs;
  const values = await withRetry(deps, { untilMs, signal }, async () => {
    const org = await credentialToIssue(deps, connector);
    const handle = archive.scratchHandle ?? {};
    return issuerOf(deps, connector).issue(context, org, {
      ...scratchRequest(archive.id, lease, deps.now()),
      handle,
    });
  });
  return { context, values };
}

/** Drops the scratch database of an archive; one that was never made is dropped too. */
export async function dropScratch(
  deps: Deps,
  lease: LeaseRow,
  archive: Pick<ArchiveRow, "id" | "scratchHandle" | "createdAt">,
  signal: AbortSignal,
): Promise<void> {
  if (archive.scratchHandle === null) return;
  const { leaseId: id } = scratchRequest(archive.id, lease, deps.now());
  // As a lease of its own that was never recorded: any key that was lent since may have made it.
  const made = { orgKeyVersion: null, createdAt: archive.createdAt, handle: archive.scratchHandle };
  await revokeAtProvider(deps, signal, { ...lease, id, ...made });
}

/** Lets nobody, or everybody who may, write to the database of a lease. */
export async function setWritable(
  deps: Deps,
  { connector, control }: Archivable,
  lease: LeaseRow,
  writable: boolean,
  signal: AbortSignal,
): Promise<void> {
  const context = deps.contextFor(connector, signal);
  await withRetry(deps, { untilMs: deps.now() + makeDeadlineMs, signal }, async () => {
    const org = await credentialToIssue(deps, connector);
    await control.setWritable(context, org, planned(lease), writable);
  });
}
