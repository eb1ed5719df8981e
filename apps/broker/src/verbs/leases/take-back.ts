import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";

/** The lease ended while values were made for it: what came of that is ended too. */
export async function takeBack(
  deps: Deps,
  { signal }: JobHold,
  lease: LeaseRow,
  orgKeyVersion: number,
): Promise<void> {
  const now = await deps.store.read.leases.find(lease.id);
  if (now?.state === "releasing" || now?.state === "released") {
    await revokeAtProvider(deps, signal, { ...lease, orgKeyVersion });
  }
}
