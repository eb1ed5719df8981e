import type { ConnectorSpec, OrgKeyView } from "@keyloan/contract";
import { erasedFields, type OrgKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";

const dayMs = 86_400_000;

type ViewDeps = Pick<Deps, "store" | "connectors" | "now">;

/** An org key as the API shows it: which one and how it is, never a value. */
export async function orgKeyView(deps: ViewDeps, row: OrgKeyRow): Promise<OrgKeyView> {
  const { check } = row;
  const { keyUses } = deps.store.read;
  const leasesInUse = await keyUses.count(row.connectorId, row.version);
  const flags = row.state === "retiring" ? await keyUses.listFlags(row.connectorId, row.version) : [];
  const flagged = flags.reduce((sum, flag) => sum + flag.leases, 0);
  const todo = todoOf(deps, row, { leasesInUse, flagged });
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
    leasesInUse,
    flagged,
    flags: flags.map(({ error: { code, message, remedy }, leases: count }) => ({
      code,
      message,
      remedy,
      leases: count,
    })),
    ageDays: Math.max(0, Math.floor((deps.now() - row.putAt) / dayMs)),
    ...(row.provenDeadAt === null ? {} : { provenDeadAt: isoTime(row.provenDeadAt) }),
    canEnd: row.state === "retiring" && deps.connectors.get(row.connectorId)?.endOrgKey !== undefined,
    ...(todo === undefined ? {} : { todo }),
  };
}

/** What a person has to do about a version, or what is waited for; nothing when all is well. */
function todoOf(
  deps: ViewDeps,
  row: OrgKeyRow,
  uses: { readonly leasesInUse: number; readonly flagged: number },
): string | undefined {
  if (row.state === "active") {
    return row.check.status === "invalid" ? "The provider refuses it: set another key." : undefined;
  }
  if (row.fields === erasedFields) return undefined;
  const { leasesInUse, flagged } = uses;
  if (leasesInUse > flagged)
    return `${count(leasesInUse - flagged)} being moved to the newest version, or ending.`;
  if (flagged > 0) {
    return `${count(flagged)} using it until their builds end: keep the key alive, or close those builds.`;
  }
  if (row.check.status === "valid") return `It still works. ${deleteSentence(deps, row)}`;
  return "It is not known yet whether it still works; the broker checks again automatically.";
}

/** How a person ends a replaced key at the provider. */
export function deleteSentence(deps: Pick<Deps, "connectors">, row: Pick<OrgKeyRow, "connectorId">): string {
  const link = helpLinkOf(deps.connectors.get(row.connectorId)?.spec);
  return `Delete this key at the provider${link === undefined ? "" : `: ${link}`}`;
}

const count = (leases: number) => (leases === 1 ? "1 lease is" : `${leases} leases are`);

/** The page at the provider where a connector's org key is made and deleted. */
export function helpLinkOf(spec: ConnectorSpec | undefined): string | undefined {
  const linked = spec?.orgFields.filter(({ helpUrl }) => helpUrl !== undefined) ?? [];
  return (linked.find(({ secret }) => secret) ?? linked[0])?.helpUrl;
}
