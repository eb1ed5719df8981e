import {
  type Connector,
  type ConnectorContext,
  type OrgCredential,
  type PlannedLease,
  ProviderError,
  Secret,
  type SecretValues,
} from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fault } from "../emulator.ts";
import {
  type ConnectorTarget,
  everythingOf,
  type OpenTarget,
  type openEmulatorTarget,
  orgCredential,
  orgSecrets,
  planLease,
  slotOf,
  testContext,
} from "./harness.ts";
import { mark, markedBody } from "./marked-body.ts";

export type IssuerSuite = {
  readonly connector: Connector;
  readonly options?: unknown;
  /** Whether `issue` and `revoke` talk to the provider with these options; both are then tried with faults. */
  readonly issues: "locally" | "at_provider";
  readonly revokes: "locally" | "at_provider";
};

export type Running = {
  readonly target: ConnectorTarget;
  readonly context: ConnectorContext;
  readonly org: OrgCredential;
};

/** What a connector promises of every lease. */
export function describeIssuing(suite: IssuerSuite, open: OpenTarget): void {
  const { connector } = suite;
  const slot = slotOf(connector);
  const lease = () => planLease(connector, suite.options);

  describe("a lease", () => {
    const running = useTarget(connector, open);
    const issue = (planned = lease()) => slot.issue(running().context, running().org, planned);
    const revoke = (planned = lease()) => slot.revoke(running().context, running().org, planned);

    test("gives exactly the declared variables, each hidden and of its form", async () => {
      const planned = lease();
      const values = await issue(planned);
      expect(problemsOf(connector, values)).toEqual([]);
      await revoke(planned);
    });

    test("gives values that pass the connector's own check", async () => {
      const planned = lease();
      const values = await issue(planned);
      const { database } = connector;
      if (database !== undefined) {
        await expect.poll(() => database.ready(running().context, values), { timeout: 20_000 }).toBe(true);
      }
      expect(await connector.validate(running().context, values)).toMatchObject({ status: "valid" });
      await revoke(planned);
    });

    if (connector.spec.grade !== "E") {
      test("never hands out a secret of the org", async () => {
        const planned = lease();
        const given = Object.values(await issue(planned)).map((value) => value.reveal());
        const secrets = orgSecrets(connector, running().org.fields);
        expect(secrets.filter((secret) => given.some((value) => value.includes(secret)))).toEqual([]);
        await revoke(planned);
      });
    }

    test("can be issued again after a crash", async () => {
      const planned = lease();
      const first = await issue(planned);
      const again = await issue(planned);
      expect(Object.keys(again).sort()).toEqual(Object.keys(first).sort());
      await revoke(planned);
    });

    const renew = connector.issuer?.renew;
    if (renew !== undefined) {
      test("can be renewed", async () => {
        const planned = lease();
        await issue(planned);
        const renewed = await renew(running().context, running().org, planned);
        expect(problemsOf(connector, renewed)).toEqual([]);
        await revoke(planned);
      });
    }

    test("can be revoked twice", async () => {
      const planned = lease();
      await issue(planned);
      await revoke(planned);
      await expect(revoke(planned)).resolves.toBeUndefined();
    });

    test("can be revoked when it was never issued", async () => {
      await expect(revoke()).resolves.toBeUndefined();
    });

    test("leaves no secret of the org in its handle or in the facts kept with the key", () => {
      const kept = JSON.stringify([lease().handle, running().org.facts]);
      const secrets = orgSecrets(connector, running().org.fields);
      expect(secrets.filter((secret) => kept.includes(secret))).toEqual([]);
    });

    test("finds the same facts when the org key is put again, also twice at once", async () => {
      const { context, org } = running();
      const facts = await Promise.all([
        connector.prepareOrgKey?.(context, org.fields),
        connector.prepareOrgKey?.(context, org.fields),
      ]);
      expect(facts.map((found) => found ?? {})).toEqual([org.facts, org.facts]);
    });
  });
}

/** One thing that is done to a lease at the provider. */
export type LeaseAction = {
  readonly name: string;
  /** Whether it talks to the provider. */
  readonly place: "locally" | "at_provider";
  readonly act: (context: ConnectorContext, org: OrgCredential, lease: PlannedLease) => Promise<unknown>;
  /** Whether the lease is issued before. */
  readonly needsIssued: boolean;
};

/** What a connector promises of a lease when the provider fails. */
export function describeFailures(
  suite: IssuerSuite,
  open: () => ReturnType<typeof openEmulatorTarget>,
): void {
  const { issue, revoke } = slotOf(suite.connector);
  describeFailingAction(suite, open, { name: "issue", place: suite.issues, act: issue, needsIssued: false });
  describeFailingAction(suite, open, {
    name: "revoke",
    place: suite.revokes,
    act: revoke,
    needsIssued: true,
  });
}

/** The same for one action: what fails says how it may be fixed, and nothing else; what is repeated succeeds. */
export function describeFailingAction(
  suite: Pick<IssuerSuite, "connector" | "options">,
  open: () => ReturnType<typeof openEmulatorTarget>,
  { name, place, act, needsIssued }: LeaseAction,
): void {
  const { connector } = suite;
  const slot = slotOf(connector);

  describe(`when the provider fails, ${name}`, () => {
    const running = useTarget(connector, open);
    const planned = async () => {
      const lease = planLease(connector, suite.options);
      if (needsIssued) await slot.issue(running().context, running().org, lease);
      return lease;
    };
    const everyCall = (fault: Fault) => running().target.emulator?.faults.add(fault, 60);
    const attempt = async (fault: Fault, context = running().context) => {
      const lease = await planned();
      everyCall(fault);
      return failureOf(() => act(context, running().org, lease));
    };
    const expectQuiet = (error: unknown) => {
      const text = everythingOf(error);
      const words = [mark, ...orgSecrets(connector, running().org.fields)];
      expect(words.filter((word) => text.includes(word))).toEqual([]);
    };

    if (place === "locally") {
      test("does not notice, for it calls no provider", async () => {
        const lease = await planned();
        everyCall({ kind: "status", status: 500 });
        const waiting = running().target.emulator?.faults.size();
        await act(running().context, running().org, lease);
        expect(running().target.emulator?.faults.size()).toBe(waiting);
      });
      return;
    }

    test("says that it may be tried later after 429, and when", async () => {
      const headers = { "retry-after": "7" };
      const error = await attempt({ kind: "status", status: 429, headers, body: markedBody });
      expect(error).toMatchObject({ code: "rate_limited", retryable: true, retryAfterSeconds: 7 });
      expectQuiet(error);
    });

    test.each([500, 502, 503])("says that it may be tried later after %i", async (status) => {
      const error = await attempt({ kind: "status", status, body: markedBody });
      expect(error).toMatchObject({ code: "unavailable", retryable: true, status });
      expectQuiet(error);
    });

    test("says that it may be tried later after a cut connection", async () => {
      const error = await attempt({ kind: "cut" });
      expect(error).toMatchObject({ code: "network", retryable: true });
      expectQuiet(error);
    });

    test("says that trying again is no use after 401", async () => {
      const error = await attempt({ kind: "status", status: 401, body: markedBody });
      expect(error).toMatchObject({ code: "unauthorized", retryable: false, status: 401 });
      expectQuiet(error);
    });

    test.each([400, 403, 422])("tells status and remedy after %i, never the body", async (status) => {
      const error = await attempt({ kind: "status", status, body: markedBody });
      expect(error).toMatchObject({ retryable: false, status });
      expectQuiet(error);
    });

    test.each(["<html></html>", "{}", "null", ""])("does not take 200 with %j for success", async (body) => {
      const error = await attempt({ kind: "status", status: 200, body });
      expect(error).toBeInstanceOf(ProviderError);
      expectQuiet(error);
    });

    test("ends with its signal", async () => {
      const controller = new AbortController();
      const failure = attempt(
        { kind: "delay", ms: 60_000 },
        { ...running().context, signal: controller.signal },
      );
      const faults = running().target.emulator?.faults;
      await expect.poll(() => (faults?.size() ?? 0) % 60, { interval: 2 }).not.toBe(0);
      controller.abort(new DOMException("time is up", "TimeoutError"));
      expect(await failure).toMatchObject({ code: "timeout", retryable: true });
    });

    test("succeeds when repeated after the answers were lost", async () => {
      const lease = await planned();
      everyCall({ kind: "cut_after" });
      await failureOf(() => act(running().context, running().org, lease));
      running().target.emulator?.faults.clear();
      await act(running().context, running().org, lease);
      await slot.revoke(running().context, running().org, lease);
    });
  });
}

/** A target for the tests of a block, its faults cleared before each. */
export function useTarget(connector: Connector, open: OpenTarget): () => Running {
  let running: Running | undefined;
  beforeAll(async () => {
    const target = await open();
    const context = testContext(target.baseUrl === undefined ? {} : { baseUrl: target.baseUrl });
    running = { target, context, org: await orgCredential(connector, context, target.orgFields) };
  });
  afterAll(() => running?.target.close());
  beforeEach(() => running?.target.emulator?.faults.clear());
  return () => {
    if (running === undefined) throw new Error("the target is not open");
    return running;
  };
}

export async function failureOf(act: () => Promise<unknown>): Promise<unknown> {
  return act().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** What is wrong with issued values, by variable name; empty when all is as declared. */
export function problemsOf(connector: Connector, values: SecretValues): string[] {
  const { env } = connector.spec;
  const declared = (name: string) =>
    env.find((variable) => variable.name === name) ??
    env.find((variable) => variable.family === true && name.startsWith(variable.name));
  const missing = env
    .filter(({ name, optional, family }) => !optional && !family && values[name] === undefined)
    .map(({ name }) => `${name} is missing`);
  const wrong = Object.entries(values).flatMap(([name, value]) => {
    const variable = declared(name);
    if (variable === undefined) return [`${name} is not declared`];
    if (!(value instanceof Secret)) return [`${name} is in the clear`];
    if (value.reveal() === "") return [`${name} is empty`];
    const fits = new RegExp(variable.pattern ?? "").test(value.reveal());
    return fits ? [] : [`${name} does not have its declared form`];
  });
  return [...missing, ...wrong];
}
