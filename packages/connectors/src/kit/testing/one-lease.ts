import type { Connector, ConnectorContext, SecretValues } from "@keyloan/contract";
import { expect } from "vitest";
import { orgCredential, planLease, slotOf } from "./harness.ts";

/**
 * The whole life of one lease: the org key is valid and prepared, what is issued works, what is renewed works,
 * and revoking twice succeeds. What was made is revoked also when an expectation fails.
 */
export async function liveOneLease(
  connector: Connector,
  context: ConnectorContext,
  fields: SecretValues,
): Promise<void> {
  if (connector.validateOrgKey !== undefined) {
    expect(await connector.validateOrgKey(context, fields)).toMatchObject({ status: "valid" });
  }
  const org = await orgCredential(connector, context, fields);
  const lease = planLease(connector, undefined);
  const { issue, revoke } = slotOf(connector);
  try {
    await expectWorking(connector, context, await issue(context, org, lease));
    const renewed = await renew();
    if (renewed !== undefined) await expectWorking(connector, context, renewed);
  } finally {
    await revoke(context, org, lease);
  }
  await revoke(context, org, lease);

  async function renew(): Promise<SecretValues | undefined> {
    const { issuer, database } = connector;
    if (database === undefined) return issuer?.renew?.(context, org, lease);
    return database.access(context, org, lease, await database.locate(context, org, lease));
  }
}

async function expectWorking(
  connector: Connector,
  context: ConnectorContext,
  values: SecretValues,
): Promise<void> {
  const isReady = async () => (await connector.database?.ready(context, values)) ?? true;
  await expect.poll(isReady, { timeout: 60_000, interval: 500 }).toBe(true);
  expect(await connector.validate(context, values)).toMatchObject({ status: "valid" });
}
