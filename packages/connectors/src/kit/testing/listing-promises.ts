import {
  type Connector,
  type ConnectorContext,
  idSuffix,
  type ListedResource,
  type OrgCredential,
  type PlannedLease,
  type SecretValues,
} from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { type openEmulatorTarget, planLease, slotOf } from "./harness.ts";
import { describeFailingAction, useTarget } from "./issuer-promises.ts";

export type ListingSuite = {
  readonly connector: Connector;
  readonly options?: unknown;
  /** Does what an app does with lent values so that the provider holds something; by default nothing. */
  readonly use?: (values: SecretValues) => Promise<void>;
};

/** What an issuer promises that lists what of ours the provider holds: all of it, by handles that end it. */
export function describeListing(
  suite: ListingSuite,
  open: () => ReturnType<typeof openEmulatorTarget>,
): void {
  const { connector, options } = suite;
  const list = connector.issuer?.list;
  if (list === undefined) return;
  const slot = slotOf(connector);
  const listAll = async (context: ConnectorContext, org: OrgCredential) => {
    const found: ListedResource[] = [];
    for await (const resource of list(context, org)) found.push(resource);
    return found;
  };

  describe("a list of what is lent", () => {
    const running = useTarget(connector, open);
    const issue = async () => {
      const lease = planLease(connector, options);
      const values = await slot.issue(running().context, running().org, lease);
      await suite.use?.(values);
      return lease;
    };
    const revoke = (lease: PlannedLease) => slot.revoke(running().context, running().org, lease);
    const isOf = (lease: PlannedLease) => (resource: ListedResource) =>
      resource.suffix === idSuffix(lease.leaseId) || resource.buildSuffix === idSuffix(lease.buildId);
    const resourcesOf = async (lease: PlannedLease) =>
      (await listAll(running().context, running().org)).filter(isOf(lease));

    test("names what a lease owns, with parts of its handle, until it is revoked", async () => {
      const [lease, other] = [await issue(), await issue()];
      const found = await resourcesOf(lease);
      expect(found.length).toBeGreaterThan(0);
      for (const { handle, name } of found) {
        expect(lease.handle).toMatchObject(handle);
        expect(name).not.toBe("");
      }
      await revoke(lease);
      expect(await resourcesOf(lease)).toEqual([]);
      expect((await resourcesOf(other)).length).toBeGreaterThan(0);
      await revoke(other);
    });

    test("gives handles that end what they name, one by one", async () => {
      const lease = await issue();
      for (const { handle } of await resourcesOf(lease)) await revoke({ ...lease, handle });
      expect(await resourcesOf(lease)).toEqual([]);
      await revoke(lease);
    });

    test("is read to its end, with nothing named twice", async () => {
      const leases = await Promise.all(Array.from({ length: 12 }, issue));
      const found = await listAll(running().context, running().org);
      expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
      const missing = leases.filter((lease) => !found.some(isOf(lease)));
      expect(missing).toEqual([]);
      await Promise.all(leases.map(revoke));
      const left = await listAll(running().context, running().org);
      expect(left.filter((resource) => leases.some((lease) => isOf(lease)(resource)))).toEqual([]);
    });
  });

  describeFailingAction(suite, open, { name: "list", place: "at_provider", act: listAll, needsIssued: true });
}
