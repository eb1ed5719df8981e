import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { addRemoval } from "./remove-archive.ts";

/** Files that are younger may be those of work that has just ended. */
const settledMs = 3_600_000;

/**
 * Removes what is in the store of archives though nobody needs it: files of archives that failed, were restored or
 * were removed. What no row knows is left alone, for it may be another broker's.
 */
export async function sweepArchives(deps: Deps, signal: AbortSignal): Promise<void> {
  const { archives, endings } = deps.store.read;
  for await (const name of deps.archives.list(signal)) {
    const archive = await archives.find(name);
    if (archive === undefined || archive.state === "writing" || archive.state === "verified") continue;
    if (deps.now() - archive.createdAt < settledMs) continue;
    if ((await endings.openJobsOf([archive.id])).length > 0) continue;
    await deps.change(bySystem("archives"), [archive.id], async (tx) => addRemoval(deps, tx, archive));
  }
}
