import { BrokerError, type Connector, type OrgKeyList, ProviderError } from "@keyloan/contract";
import { isInUse, openActiveOrgKey, openOrgKeyVersion } from "@keyloan/org-keys";
import type { OrgKeyRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { requireConnector } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";
import { noOrgKey } from "./manage-org-keys.ts";
import { proveVersion } from "./prove-dead.ts";
import { orgKeyView } from "./views.ts";

const timeoutMs = 45_000;

/**
 * Asks now whether the replaced versions of a key are dead, rather than when their job is due; with `end`
 * those that nothing uses are ended at the provider first. One that leases still use is left alone.
 * @returns every version as it is then
 * @throws BrokerError `unknown_connector`, `not_found`, `not_supported` when the provider cannot end one;
 * ProviderError when it does not
 */
export async function retireOrgKey(
  deps: Deps,
  by: By,
  connectorId: string,
  input: { readonly end: boolean },
): Promise<OrgKeyList> {
  const connector = requireConnector(deps, connectorId);
  const { orgKeys } = deps.store.read;
  const { organizationId } = deps;
  const rows = (await orgKeys.listVersions(organizationId, connectorId)).toReversed();
  if (rows.length === 0) throw noOrgKey(connectorId);
  const { endOrgKey } = connector;
  if (input.end && endOrgKey === undefined) throw cannotEnd(connector);
  const signal = AbortSignal.timeout(timeoutMs);
  for (const row of rows) {
    if (row.state === "active" || row.fields === "") continue;
    if (input.end && endOrgKey !== undefined && !(await isInUse(deps, row))) {
      await endVersion(deps, by, connector, endOrgKey, row, signal);
    }
    await proveVersion(deps, by, row, signal);
  }
  const now = await orgKeys.listVersions(organizationId, connectorId);
  return { orgKeys: await Promise.all(now.map((row) => orgKeyView(deps, row))) };
}

async function endVersion(
  deps: Deps,
  by: By,
  connector: Connector,
  endOrgKey: Connector["endOrgKey"] & {},
  row: OrgKeyRow,
  signal: AbortSignal,
): Promise<void> {
  const { connectorId: entity, version } = row;
  const { fields } = await openOrgKeyVersion(deps, row);
  const kept = (await openActiveOrgKey(deps, entity))?.fields ?? {};
  const audit = (action: string) => deps.change(by, [], async (tx) => tx.audit(action, entity, { version }));
  await audit("org_key.ending");
  try {
    await endOrgKey(deps.contextFor(connector, signal), fields, kept);
  } catch (error) {
    // A key that is dead already may be refused here: the proof that follows tells.
    if (!(error instanceof ProviderError) || error.code !== "unauthorized") throw error;
    deps.logger.warn(
      { connector: entity, version, ...describeError(error) },
      "an old key could not end itself",
    );
    return;
  }
  await audit("org_key.ended");
}

function cannotEnd({ spec }: Connector): BrokerError {
  return new BrokerError("not_supported", `the broker cannot end a key of ${spec.id} itself`, {
    remedy: `Delete it at ${spec.label}; \`keyloan org-keys list\` shows the link. The broker notices automatically when it is gone.`,
  });
}
