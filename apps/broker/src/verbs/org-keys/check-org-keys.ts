import { askAboutKey, openActiveOrgKey, toStoredCheck } from "@keyloan/org-keys";
import type { OrgKeyRow } from "@keyloan/store";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { forEach } from "../../each.ts";

/** Checks every active org key at its provider and records what it found; a change is audited. */
export async function checkOrgKeys(deps: Deps, signal: AbortSignal): Promise<void> {
  const rows = await deps.store.read.orgKeys.listActive(deps.organizationId);
  await forEach(rows, (row) => checkOrgKey(deps, row, signal), signal);
}

async function checkOrgKey(deps: Deps, row: OrgKeyRow, signal: AbortSignal): Promise<void> {
  const connector = deps.connectors.get(row.connectorId);
  const org = connector === undefined ? undefined : await openActiveOrgKey(deps, row.connectorId);
  if (connector === undefined || org === undefined || signal.aborted) return;
  const check = toStoredCheck(await askAboutKey(deps, connector, org.fields, signal));
  // "Could not ask" tells nothing new about a key: the last real answer stays.
  if (check.status === "undetermined") {
    deps.logger.warn({ connector: row.connectorId }, "an org key could not be checked");
    return;
  }
  await deps.change(bySystem("org-key-check"), [row.id], async (tx) => {
    await tx.orgKeys.recordCheck(row.id, check, deps.now());
    if (check.status === row.check.status) return;
    const details = { version: row.version, before: row.check.status, after: check.status };
    tx.audit("org_key.checked", row.connectorId, details);
  });
  if (check.status === "invalid")
    deps.logger.error({ connector: row.connectorId }, "an org key no longer works");
}
