import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";

/** The lease ended while values were made for it: what came of that is ended too. */
export async function takeBack(
  deps: Deps,
  { job, signal }: JobHold,
  lease: LeaseRow,
  orgKeyVersion: number,
): Promise<void> {
  const now = await deps.store.read.leases.find(lease.id);
  if (now?.state === "releasing" || now?.state === "released") {
    await revokeAtProvider(deps, signal, { ...lease, orgKeyVersion });
  }
  await deps.store.write([lease.id], (tables) =>
    tables.jobs.finish(job.id, job.fence, "done", undefined, deps.now()),
  );
}
