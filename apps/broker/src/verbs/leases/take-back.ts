import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { revokeAtProvider } from "./revoke-at-provider.ts";

/** The lease ended while values were made for it: what came of that is ended too. */
export async function takeBack(
  deps: Deps,
  { signal }: JobHold,
  lease: LeaseRow,
  orgKeyVersion: number,
): Promise<void> {
  const now = await deps.store.read.leases.find(lease.id);
  // In any other state another worker took the job over and owns the resource now.
  if (now?.state === "releasing" || now?.state === "released") {
    await revokeAtProvider(deps, signal, { ...lease, orgKeyVersion });
  }
}
