import { type Connector, ProviderError } from "@keyloan/contract";
import type { TransferEnd } from "@keyloan/database-provisioner";
import type { LeaseRow, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { withRetry } from "../../queue/backoff.ts";
import { withOpenKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { openUserKey } from "../../sealing/user-keys.ts";
import { credentialToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { movableOf } from "./movable.ts";

export type TransferEnds = { readonly from: TransferEnd; readonly to: TransferEnd };

/**
 * Both ends of a transfer with what opens them; `undefined` when one is gone, such as the user's keys or, with
 * the build, everything, and when the app uses those keys already. Addresses that a user typed are guarded.
 */
export async function openEnds(
  deps: Deps,
  row: Pick<TransferRow, "buildId" | "connectorId" | "leaseId" | "userKeyId">,
  connector: Connector,
  signal: AbortSignal,
): Promise<TransferEnds | undefined> {
  const { buildId, leaseId, userKeyId } = row;
  const bindings = await deps.store.read.bindings.listByBuild(buildId);
  if (bindings.some((binding) => binding.userKeyId === userKeyId)) return undefined;
  const lease = await deps.store.read.leases.find(leaseId);
  const dataKey = await deps.store.read.dataKeys.findByOwner(buildId);
  const to = await openTarget(deps, row, connector, signal);
  const sealed = lease?.env ?? undefined;
  if (sealed === undefined || dataKey === undefined || to === undefined) return undefined;
  const values = withOpenKey(deps, dataKey, (open) => openLease(open, leaseId, sealed));
  return { from: { context: deps.contextFor(connector, signal), values }, to };
}

/** Where a transfer goes to, whoever uses that now; `undefined` when the keys of it are gone. */
export async function openTarget(
  deps: Deps,
  { buildId, userKeyId }: Pick<TransferRow, "buildId" | "userKeyId">,
  connector: Connector,
  signal: AbortSignal,
): Promise<TransferEnd | undefined> {
  const key = (await deps.store.read.userKeys.listByBuild(buildId)).find(({ id }) => id === userKeyId);
  const dataKey = await deps.store.read.dataKeys.findByOwner(buildId);
  if (key === undefined || dataKey === undefined) return undefined;
  const values = withOpenKey(deps, dataKey, (open) => openUserKey(open, key.id, key.env));
  return { context: deps.userContextFor(connector, signal), values };
}

const controlDeadlineMs = 60_000;

/**
 * Lets nobody, or everybody who may, write to a lent database.
 * @throws ProviderError when the provider does not do it
 */
export async function setSourceWritable(
  deps: Deps,
  lease: LeaseRow,
  writable: boolean,
  signal: AbortSignal,
): Promise<void> {
  const connector = deps.connectors.get(lease.connectorId);
  const movable = connector === undefined ? undefined : movableOf(connector);
  if (connector === undefined || movable?.kind !== "database") {
    throw new ProviderError(lease.connectorId, "rejected", "has no database whose writes can be stopped");
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(controlDeadlineMs)]);
  const context = deps.contextFor(connector, limit);
  await withRetry(deps, { untilMs: deps.now() + controlDeadlineMs, signal: limit }, async () => {
    const org = await credentialToIssue(deps, connector);
    await movable.control.setWritable(context, org, planned(lease), writable);
  });
}
