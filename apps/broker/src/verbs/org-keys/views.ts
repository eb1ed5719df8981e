import type { OrgKeyView } from "@keyloan/contract";
import type { OrgKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../builds/views.ts";

/** An org key as the API shows it: which one and how it is, never a value. */
export async function orgKeyView(deps: Pick<Deps, "store">, row: OrgKeyRow): Promise<OrgKeyView> {
  const { check } = row;
  return {
    connector: row.connectorId,
    version: row.version,
    state: row.state,
    fingerprint: row.fingerprint,
    ...(check.account === undefined ? {} : { account: check.account }),
    ...(check.mode === undefined ? {} : { mode: check.mode }),
    capabilities: [...check.capabilities],
    warnings: [...check.warnings],
    putAt: isoTime(row.putAt),
    checkedAt: isoTime(row.checkedAt),
    checkStatus: check.status,
    ...(check.message === undefined ? {} : { checkMessage: check.message }),
    leasesInUse: await deps.store.read.leases.countUsing(row.connectorId, row.version),
  };
}
