import { idPattern, idSuffix, type PlannedLease } from "@keyloan/contract";

const prefix = "kl-";

/** What the database of a lease is called. */
export function planDatabaseName(leaseId: string): string {
  return `${prefix}${idSuffix(leaseId)}`;
}

/** The suffix that a name of ours was made of; `undefined` for a name that is not ours. */
export function suffixOfDatabaseName(name: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const suffix = name.slice(prefix.length);
  return idPattern("lease").test(`lse_${suffix}`) ? suffix : undefined;
}

/** The planned name. It stands in paths, so a handle that was tampered with goes no further. */
export function databaseNameOf(lease: Pick<PlannedLease, "handle">): string {
  const name = lease.handle.database ?? "";
  if (!/^kl-[a-z0-9]{1,60}$/.test(name)) throw new Error("the lease's handle names no database of ours");
  return name;
}
