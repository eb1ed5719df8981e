import { newId, type SecretValues } from "@keyloan/contract";
import type { OrgKeyRow, StoredCheck, Tables } from "@keyloan/store";
import { type Fingerprinter, openDataKey, sealValues } from "@keyloan/vault";
import { type OrgKeyDeps, orgKeyContext } from "./open-org-key.ts";

export type PutOrgKeyDeps = Pick<OrgKeyDeps, "keyring" | "organizationId"> & {
  readonly fingerprint: Fingerprinter;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
};

/**
 * Seals a checked key as the connector's next version, in the caller's transaction. The previous version becomes
 * `retiring` until it is proven dead. If the active key is put again, only the new check and facts are recorded.
 * @returns the row that is active now, and whether it is a new version
 */
export async function putOrgKey(
  deps: PutOrgKeyDeps,
  tables: Tables,
  input: {
    readonly connectorId: string;
    readonly fields: SecretValues;
    readonly facts: Readonly<Record<string, string>>;
    readonly check: StoredCheck;
  },
): Promise<{ readonly row: OrgKeyRow; readonly isNew: boolean }> {
  const { organizationId } = deps;
  const wrapped = await tables.dataKeys.findByOwner(organizationId);
  if (wrapped === undefined) throw new Error("the org has no data key");
  const dataKey = openDataKey(deps.keyring, wrapped);
  const fingerprint = deps.fingerprint.ofValues(input.fields);
  const latest = await tables.orgKeys.findLatest(organizationId, input.connectorId);
  const at = deps.now();
  if (latest?.state === "active" && latest.fingerprint === fingerprint) {
    await tables.orgKeys.recordCheck(latest.id, input.check, at, input.facts);
    const row = { ...latest, check: input.check, facts: input.facts, checkedAt: at };
    return { row, isNew: false };
  }
  const version = await tables.orgKeys.nextVersion(organizationId, input.connectorId);
  const context = orgKeyContext(organizationId, { connectorId: input.connectorId, version });
  const row: OrgKeyRow = {
    id: newId("orgKey", deps.randomBytes),
    organizationId,
    connectorId: input.connectorId,
    version,
    state: "active",
    fields: sealValues(dataKey, context, input.fields),
    fingerprint,
    facts: input.facts,
    check: input.check,
    putAt: at,
    checkedAt: at,
    provenDeadAt: null,
    remindedAt: null,
  };
  if (latest?.state === "active") await tables.orgKeys.moveState(latest.id, ["active"], "retiring");
  await tables.orgKeys.insert(row);
  return { row, isNew: true };
}
