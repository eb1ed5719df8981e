import type { BindingRow, LeaseRow, TransferRow } from "@keyloan/store";

/** Of one build. */
type Rows = {
  readonly bindings: readonly BindingRow[];
  readonly leases: readonly LeaseRow[];
  readonly transfers: readonly TransferRow[];
};

/**
 * Those of the swapped connectors that can go back to what was lent. What was moved and whose own window ended before
 * is given back for good and stays with the user.
 * @returns none when nothing was swapped, when something else has ended, or everything
 */
export function stillLent({ bindings, leases, transfers }: Rows): readonly BindingRow[] {
  const swapped = bindings.filter(({ source }) => source === "user");
  const isMoved = ({ leaseId }: BindingRow) =>
    transfers.some((row) => row.leaseId === leaseId && row.state === "switched");
  const isLent = ({ leaseId }: BindingRow) =>
    leases.some(({ id, state }) => id === leaseId && state === "active");
  return swapped.every((binding) => isLent(binding) || isMoved(binding)) ? swapped.filter(isLent) : [];
}
