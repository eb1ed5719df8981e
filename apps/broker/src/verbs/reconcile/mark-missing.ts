import type { Finding } from "@keyloan/contract";
import type { LeaseRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { missingCode } from "./find-missing.ts";

const remedy =
  "Restore it at the provider if you can. Otherwise make the build again: its values no longer work.";

export function missingFinding(lease: LeaseRow, isMarked: boolean): Finding {
  return {
    kind: "missing",
    name: Object.values(lease.handle).join(" "),
    lease: lease.id,
    build: lease.buildId,
    action: isMarked ? "marked" : "told",
    message: "A lease is active, but its resource is no longer at the provider.",
    remedy,
  };
}

/** Lets the lease show that its resource is gone. It stays active: nobody but a person can tell what is to be done. */
export async function markMissing(deps: Deps, by: By, lease: LeaseRow): Promise<void> {
  const { connectorId: provider } = lease;
  if (lease.lastError?.code === missingCode) return;
  const message = `${provider} no longer has the resource of this lease`;
  const lastError = { provider, code: missingCode, message, remedy, retryable: false };
  await record(deps, by, lease, lastError, "lease.resource_missing");
}

/** The resource is there again. */
export async function clearFound(deps: Deps, by: By, lease: LeaseRow): Promise<void> {
  await record(deps, by, lease, null, "lease.resource_found");
}

async function record(
  deps: Deps,
  by: By,
  lease: LeaseRow,
  lastError: LeaseRow["lastError"],
  action: string,
): Promise<void> {
  await deps.change(by, [lease.buildId], async (tx) => {
    if (!(await tx.leases.update(lease.id, ["active"], { lastError }))) return tx.unaudited(undefined);
    const details = { connector: lease.connectorId, lease: lease.id, resource: lease.handle };
    return tx.audit(action, lease.buildId, details);
  });
}
