import { provenLevel } from "@keyloan/store";
import {
  closeDataKey,
  createHashMac,
  createRowMac,
  type DataKey,
  openDataKey,
  promiseState,
} from "@keyloan/vault";
import { auditRow } from "./audit-row.ts";
import {
  type AuditState,
  changeAuditState,
  firstAuditState,
  type ReadState,
  readAuditState,
  sealAuditState,
} from "./audit-state.ts";
import type { Deps } from "./deps.ts";
import { macOfOlderRow, pagesOfKeys } from "./signing-keys.ts";
import { namesOf } from "./verbs/audit/problems.ts";

type UpgradeDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "now" | "randomBytes" | "logger">;

const attemptsMax = 3;

/**
 * Lets the store prove its audit rows from now on, and brings an older one up to date, once: rows are chained, signing
 * keys get their MAC, the count of heads begins, and rows of the audit, and those that decide something, have a MAC from then on.
 * That it happened is kept sealed, so that
 * nothing that is written to the store later passes for older. A key whose public half is not that of its sealed private
 * half gets no MAC, so it is refused by its name.
 * @throws VaultError when the org's data key does not open
 */
export async function openAudit(deps: UpgradeDeps): Promise<void> {
  // Another broker may bring it up to date at this moment.
  for (let attempt = 0; attempt < attemptsMax; attempt++) if (await isOpened(deps)) return;
}

async function isOpened(deps: UpgradeDeps): Promise<boolean> {
  const { store, keyring, organizationId } = deps;
  const dataKey = await store.read.dataKeys.findByOwner(organizationId);
  if (dataKey === undefined) return true;
  const key = openDataKey(keyring, dataKey);
  try {
    const macOf = createHashMac(key);
    store.sealRows(createRowMac(key));
    if (!key.promisesState) {
      await store.chainOlderRows();
      return await upgrade(deps, key, macOf, firstAuditState);
    }
    const read = await readAuditState(deps);
    if (read !== undefined && read.state.macFrom === undefined)
      return await upgrade(deps, key, macOf, read.state);
    // Where the state is gone, it was taken away: nothing passes for older then.
    store.sealAudit({ macOf, from: read?.state.macFrom ?? 1 });
    return read === undefined || (await proveRows(deps, read));
  } finally {
    closeDataKey(key);
  }
}

/** False when another broker was first; nothing was written then. */
async function upgrade(
  deps: UpgradeDeps,
  key: DataKey,
  macOf: (hash: string) => string,
  state: AuditState,
): Promise<boolean> {
  const { store, keyring, organizationId } = deps;
  const { read } = store;
  const dataKey = await read.dataKeys.findByOwner(organizationId);
  if (dataKey === undefined) return false;
  const keys = key.promisesState ? { proven: [], refused: [] } : await olderKeys(deps, key);
  const promised = promiseState(keyring, dataKey);
  if (!(await proveOlder(deps, 0))) return false;
  const before = (await read.organizations.find(organizationId))?.auditState ?? null;
  return store.write([organizationId], async (tables) => {
    const from = (await tables.auditEvents.findLastGenuine()).sequence + 1;
    const sealed = sealAuditState(key, { ...state, macFrom: from, rowsLevel: provenLevel });
    if (!(await tables.dataKeys.rewrap(promised, dataKey))) return false;
    if (!(await tables.organizations.setAuditState(organizationId, before, sealed))) return false;
    for (const { id, mac } of keys.proven) await tables.signingKeys.setMac(id, mac);
    store.sealAudit({ macOf, from });
    await tables.auditEvents.insertAll([
      auditRow(deps, {
        actor: { kind: "system", part: "upgrade" },
        action: "audit.upgraded",
        entity: organizationId,
        details: { signingKeys: keys.proven.length, refused: namesOf(keys.refused), rowsBefore: from - 1 },
      }),
    ]);
    return true;
  });
}

/**
 * Rows of tables that had no MACs when the store was last brought up to date get theirs, once. What a start leaves
 * undone, the next does again. False when another broker was first.
 */
async function proveRows(deps: UpgradeDeps, { state }: ReadState): Promise<boolean> {
  const level = state.rowsLevel ?? 1;
  if (level >= provenLevel) return true;
  if (!(await proveOlder(deps, level))) return false;
  const begun = await readAuditState(deps);
  if (begun === undefined) return false;
  const { rowsUpgrading: _, ...done } = begun.state;
  const row = auditRow(deps, {
    actor: { kind: "system", part: "upgrade" },
    action: "store.upgraded",
    entity: deps.organizationId,
    details: { level: provenLevel },
  });
  return changeAuditState(deps, begun.text, { ...done, rowsLevel: provenLevel }, (tables) =>
    tables.auditEvents.insertAll([row]),
  );
}

/**
 * Proves the rows of a store of this level. Where something is proven already and no upgrade was begun, somebody has put
 * back what the store was known by before its upgrade: nothing more is proven then.
 * @returns false when another broker was first
 */
async function proveOlder(deps: UpgradeDeps, level: number): Promise<boolean> {
  const { store, organizationId } = deps;
  const text = (await store.read.organizations.find(organizationId))?.auditState ?? null;
  const state = (await readAuditState(deps))?.state ?? { heads: 0, lost: [] };
  if (state.rowsUpgrading !== provenLevel) {
    if (await store.read.olderRows.hasProven(level)) {
      deps.logger.error("the store says that it is older than its rows: rows that nobody has proven stay so");
      return true;
    }
    if (!(await changeAuditState(deps, text, { ...state, rowsUpgrading: provenLevel }))) return false;
  }
  await store.proveOlderRows(level);
  return true;
}

/** The MACs that keys from before there were any get, and the ids of those that get none. */
async function olderKeys(deps: UpgradeDeps, key: DataKey) {
  const proven: { readonly id: string; readonly mac: string }[] = [];
  const refused: string[] = [];
  for await (const page of pagesOfKeys(deps, deps.store.read)) {
    for (const row of page) {
      const mac = macOfOlderRow(key, row);
      if (mac === undefined) refused.push(row.id);
      else proven.push({ id: row.id, mac });
    }
  }
  return { proven, refused };
}
