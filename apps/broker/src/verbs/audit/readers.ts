import type { AuditReaders } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";

const latestMax = 20;

/** How often one of the actions happened to an entity since, and who did it lately. */
export async function readersOf(
  deps: Pick<Deps, "store">,
  filter: {
    readonly entity: string;
    readonly actions: readonly string[];
    readonly since: number;
    readonly actor?: string;
  },
): Promise<AuditReaders> {
  const { count, latest } = await deps.store.read.auditEvents.findActions({ ...filter, limit: latestMax });
  return {
    count,
    latest: latest.map(({ at, actor, action, requestId }) => ({
      at: isoTime(at),
      actor,
      action,
      ...(requestId === null ? {} : { requestId }),
    })),
  };
}
