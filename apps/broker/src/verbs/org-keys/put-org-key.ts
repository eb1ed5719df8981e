import {
  BrokerError,
  type Connector,
  type OrgKeyView,
  secretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { askAboutKey, putOrgKey as sealOrgKey, toStoredCheck } from "@keyloan/org-keys";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { requireConnector } from "../../deps.ts";
import { recordFingerprints } from "../leases/record-fingerprints.ts";
import { retryFailedLeases } from "../leases/retry-failed.ts";
import { orgKeyView } from "./views.ts";

const prepareTimeoutMs = 30_000;

/**
 * Checks an org key at its provider, prepares what all builds share, seals it as the next version, lets leases
 * that waited for a key go on, and begins to move those that live on the version before.
 * @throws BrokerError `unknown_connector`, `key_rejected` when the key does not work, `unavailable` when the
 * provider could not be asked; ProviderError when preparing fails. Nothing is kept of a key that was refused.
 */
export async function putOrgKey(
  deps: Deps,
  by: By,
  connectorId: string,
  fields: Readonly<Record<string, string>>,
): Promise<OrgKeyView> {
  const connector = requireConnector(deps, connectorId);
  if (connector.spec.orgFields.length === 0) {
    throw new BrokerError("invalid_input", `${connectorId} needs no org key`, {
      remedy: "You do not need to do anything.",
    });
  }
  const values = secretValues(fields);
  const signal = AbortSignal.timeout(prepareTimeoutMs);
  const answer = await askAboutKey(deps, connector, values, signal);
  if (answer.status === "invalid") throw rejected(connector, answer);
  if (answer.status === "undetermined") throw notChecked(connector, answer);
  const facts = (await connector.prepareOrgKey?.(deps.contextFor(connector, signal), values)) ?? {};
  const input = { connectorId, fields: values, facts, check: toStoredCheck(answer) };
  const row = await deps.change(by, [connectorId], async (tx) => {
    const { row, isNew } = await sealOrgKey(deps, tx, input);
    const { id: entityId, version, fingerprint } = row;
    if (isNew) {
      // What lives on the version before is moved in the background, however much it is.
      tx.job({ kind: "plan-rekey", entityId, connectorId });
      await recordFingerprints(deps, tx, entityId, connector.spec.orgFields, values);
    }
    tx.audit("org_key.put", connectorId, { version, fingerprint });
    return row;
  });
  await retryFailedLeases(deps, connectorId);
  return orgKeyView(deps, row);
}

function rejected(connector: Connector, answer: ValidationResult & { status: "invalid" }): BrokerError {
  return new BrokerError("key_rejected", answer.message, {
    remedy: answer.remedy,
    details: { connector: connector.spec.id, field: answer.envVar, reason: answer.code },
  });
}

function notChecked(
  connector: Connector,
  answer: ValidationResult & { status: "undetermined" },
): BrokerError {
  return new BrokerError("unavailable", `the key could not be checked: ${answer.message}`, {
    remedy: `Nothing was saved. Try again when ${connector.spec.label} answers.`,
    details: { connector: connector.spec.id, reason: answer.code },
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  });
}
