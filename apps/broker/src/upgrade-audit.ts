import { openDataKey, promiseState } from "@keyloan/vault";
import { auditRow } from "./audit-row.ts";
import { firstAuditState, sealAuditState } from "./audit-state.ts";
import type { Deps } from "./deps.ts";
import { macOfOlderRow, pagesOfKeys } from "./signing-keys.ts";
import { namesOf } from "./verbs/audit/problems.ts";

/**
 * Brings a store from before heads were counted up to date, once: signing keys get their MAC, the count begins, and
 * the org's data key tells from then on that both must be there. A key whose public half is not that of its sealed
 * private half gets none, so it is refused by its name.
 * @throws VaultError when the org's data key does not open
 */
export async function upgradeAudit(deps: UpgradeDeps): Promise<void> {
  // Another broker may wrap the key anew at this moment.
  for (let attempt = 0; attempt < 3; attempt++) if (await isUpgraded(deps)) return;
}

type UpgradeDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "now" | "randomBytes">;

async function isUpgraded(deps: UpgradeDeps): Promise<boolean> {
  const { store, keyring, organizationId } = deps;
  const dataKey = await store.read.dataKeys.findByOwner(organizationId);
  const organization = await store.read.organizations.find(organizationId);
  if (dataKey === undefined || organization === undefined) return true;
  const key = openDataKey(keyring, dataKey);
  if (key.promisesState) return true;
  const proven: { readonly id: string; readonly mac: string }[] = [];
  const refused: string[] = [];
  for await (const page of pagesOfKeys(deps, store.read)) {
    for (const row of page) {
      const mac = macOfOlderRow(key, row);
      if (mac === undefined) refused.push(row.id);
      else proven.push({ id: row.id, mac });
    }
  }
  const promised = promiseState(keyring, dataKey);
  const state = sealAuditState(key, firstAuditState);
  return store.write([organizationId], async (tables) => {
    if (!(await tables.dataKeys.rewrap(promised, dataKey))) return false;
    await tables.organizations.setAuditState(organizationId, organization.auditState, state);
    for (const { id, mac } of proven) await tables.signingKeys.setMac(id, mac);
    await tables.auditEvents.insertAll([
      auditRow(deps, {
        actor: { kind: "system", part: "upgrade" },
        action: "audit.upgraded",
        entity: organizationId,
        details: { signingKeys: proven.length, refused: namesOf(refused) },
      }),
    ]);
    return true;
  });
}
