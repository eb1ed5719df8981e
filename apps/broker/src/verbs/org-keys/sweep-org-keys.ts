import { isInUse } from "@keyloan/org-keys";
import type { OrgKeyRow } from "@keyloan/store";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { forEach } from "../../each.ts";
import type { Notice } from "../../notify/notice.ts";
import { helpLinkOf } from "./views.ts";

const dayMs = 86_400_000;
const reminderMs = 7 * dayMs;

/**
 * Sees to it that every replaced version goes its way to the end: leases that have come to it since are moved on,
 * and one that nothing uses any more is being proven dead.
 */
export async function sweepReplacedKeys(deps: Deps, signal: AbortSignal): Promise<void> {
  const replaced = await deps.store.read.orgKeys.listUnproven(deps.organizationId);
  const follow = (row: OrgKeyRow) =>
    deps.change(bySystem("org-keys"), [row.connectorId], (tx) => followUp(deps, tx, row));
  await forEach(replaced, follow, signal);
}

/** Adds the job that a replaced version needs next, if it needs one and has none yet. */
export async function followUp(deps: Deps, tx: Unit, row: OrgKeyRow): Promise<void> {
  const { connectorId } = row;
  const isOpen = async (entityId: string, kind: string) =>
    (await tx.endings.openJobsOf([entityId])).some((job) => job.kind === kind);
  if (!(await isInUse(deps, row, tx))) {
    if (await isOpen(row.id, "prove-dead")) return;
    tx.job({ kind: "prove-dead", entityId: row.id, connectorId }, deps.now());
    return;
  }
  const latest = await tx.orgKeys.findLatest(deps.organizationId, connectorId);
  if (latest?.state !== "active") return;
  const query = { flagged: false, afterId: "", limit: 1 };
  const stragglers = await tx.keyUses.listToRekey(connectorId, latest.version, query);
  if (stragglers.length === 0 || (await isOpen(latest.id, "plan-rekey"))) return;
  tx.job({ kind: "plan-rekey", entityId: latest.id, connectorId }, deps.now());
}

/** Tells of org keys that are older than the operator wants them to be, at most once a week for each. */
export async function remindOfOldKeys(deps: Deps): Promise<void> {
  const { orgKeyMaxDays } = deps.config;
  const now = deps.now();
  const old = await deps.store.read.orgKeys.listOld(
    deps.organizationId,
    now - orgKeyMaxDays * dayMs,
    now - reminderMs,
  );
  for (const row of old) {
    await deps.change(bySystem("org-keys"), [row.id], async (tx) => {
      if (await tx.orgKeys.setReminded(row, now)) tx.notice(oldKeyNotice(deps, row));
    });
  }
}

function oldKeyNotice(deps: Deps, { connectorId, putAt }: OrgKeyRow): Notice {
  const days = Math.floor((deps.now() - putAt) / dayMs);
  const link = helpLinkOf(deps.connectors.get(connectorId)?.spec);
  return {
    type: "org_key.old",
    message: `The org key of ${connectorId} is ${days} days old.`,
    connectorId,
    remedy: `Make a new one and set it with \`keyloan org-keys rotate ${connectorId}\`.`,
    ...(link === undefined ? {} : { steps: [{ text: "Where to make it:", url: link }] }),
  };
}
