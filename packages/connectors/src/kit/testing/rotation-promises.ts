import { type Connector, revealValues, type SecretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import type { ConnectorTarget, openEmulatorTarget } from "./harness.ts";
import { orgSecrets, planLease, slotOf } from "./harness.ts";
import { describeFailingAction, failureOf, problemsOf, useTarget } from "./issuer-promises.ts";

export type RotationSuite = {
  readonly connector: Connector;
  readonly options?: unknown;
  readonly rotates: "locally" | "at_provider" | "refused";
};

type Open = () => Promise<ConnectorTarget> | ReturnType<typeof openEmulatorTarget>;

/** What an issuer promises that rotates: new values that work, and the end of all that were lent before. */
export function describeRotating(suite: RotationSuite, open: Open): void {
  const { connector, options, rotates } = suite;
  const rotate = connector.issuer?.rotate;
  if (rotate === undefined) return;
  const slot = slotOf(connector);

  describe("a rotated lease", () => {
    const running = useTarget(connector, async () => open());
    const issue = async () => {
      const lease = planLease(connector, options);
      return { lease, values: await slot.issue(running().context, running().org, lease) };
    };
    const turn = (lease: ReturnType<typeof planLease>) => rotate(running().context, running().org, lease);
    const revoke = (lease: ReturnType<typeof planLease>) =>
      slot.revoke(running().context, running().org, lease);
    const isValid = async (values: SecretValues) =>
      (await connector.validate(running().context, values)).status === "valid";

    if (rotates === "refused") {
      test("is refused before anybody is asked, with what to do", async () => {
        const { lease, values } = await issue();
        const faults = running().target.emulator?.faults;
        faults?.add({ kind: "status", status: 500 }, 5);
        const error = await failureOf(() => turn(lease));
        expect(error).toMatchObject({ name: "ProviderError", code: "rejected", remedy: expect.any(String) });
        expect(faults?.size()).toBe(5);
        faults?.clear();
        expect(await isValid(values)).toBe(true);
        await revoke(lease);
      });
      return;
    }

    test("has other values of the declared form, none of them the org's", async () => {
      const { lease, values } = await issue();
      const turned = await turn(lease);
      expect(problemsOf(connector, turned)).toEqual([]);
      const secret = connector.spec.env.filter((variable) => variable.secret).map(({ name }) => name);
      const kept = secret.filter((name) => turned[name]?.reveal() === values[name]?.reveal());
      expect(kept.filter((name) => turned[name] !== undefined)).toEqual([]);
      const given = Object.values(revealValues(turned));
      const secrets = orgSecrets(connector, running().org.fields);
      expect(secrets.filter((one) => given.some((value) => value.includes(one)))).toEqual([]);
      await revoke(lease);
    });

    if (rotates === "locally") return;

    test("works with the new values and with no others, renewed ones among them", async () => {
      const { lease, values } = await issue();
      const renewed = await connector.issuer?.renew?.(running().context, running().org, lease);
      const first = await turn(lease);
      const second = await turn(lease);
      const old = [values, first, ...(renewed === undefined ? [] : [renewed])];
      expect(await Promise.all(old.map(isValid))).toEqual(old.map(() => false));
      expect(await isValid(second)).toBe(true);
      await revoke(lease);
      expect(await isValid(second)).toBe(false);
    });

    test("leaves other leases alone", async () => {
      const [own, other] = [await issue(), await issue()];
      await turn(own.lease);
      expect(await isValid(other.values)).toBe(true);
      await revoke(own.lease);
      await revoke(other.lease);
    });
  });

  if (rotates !== "at_provider") return;
  const openEmulator = async () => {
    const target = await open();
    const { emulator, baseUrl } = target;
    if (emulator === undefined || baseUrl === undefined) throw new Error("faults need a stand-in");
    return { ...target, emulator, baseUrl };
  };
  describeFailingAction(suite, openEmulator, {
    name: "rotate",
    place: rotates,
    act: rotate,
    needsIssued: true,
  });
}
