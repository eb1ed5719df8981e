import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  type Connector,
  type ConnectorContext,
  type LeaseRequest,
  newId,
  type OrgCredential,
  type PlannedLease,
  type SecretValues,
  secretValues,
  userAgent,
} from "@keyloan/contract";
import type { RunningEmulator, StartEmulator } from "../emulator.ts";

/** Where the promises are tried: a stand-in with its faults, or a real account without. */
export type ConnectorTarget = {
  readonly orgFields: SecretValues;
  readonly baseUrl?: string;
  readonly emulator?: RunningEmulator;
  readonly close: () => Promise<void>;
};

export type OpenTarget = () => Promise<ConnectorTarget>;

/** A stand-in on a free port with state in a temporary folder that goes with it. */
export async function openEmulatorTarget(
  start: StartEmulator,
): Promise<ConnectorTarget & { readonly emulator: RunningEmulator; readonly baseUrl: string }> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "keyloan-emulator-"));
  const emulator = await start({ stateDirectory, port: 0 }).catch(async (error: unknown) => {
    await rm(stateDirectory, { recursive: true, force: true });
    throw error;
  });
  return {
    orgFields: secretValues(emulator.orgFields),
    baseUrl: emulator.baseUrl,
    emulator,
    close: async () => {
      await emulator.close();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}

/**
 * A context with the process's own fetch, clock and randomness; a signal that never ends unless given. Its fetch fails for
 * a call that does not say who asks: every test of a connector proves that all of its calls do.
 */
export function testContext(overrides: Partial<ConnectorContext> = {}): ConnectorContext {
  return {
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (request.headers.get("user-agent") !== userAgent)
        throw new Error(`${request.url} is asked without a name`);
      return globalThis.fetch(request);
    },
    signal: new AbortController().signal,
    now: () => Date.now(),
    randomBytes: (size) => randomBytes(size),
    ...overrides,
  };
}

/** A fresh lease as the broker would plan it; `options` pass through the connector's own schema. */
export function planLease(connector: Connector, options: unknown): PlannedLease {
  const request = leaseRequest(connector, options);
  return { ...request, handle: slotOf(connector).plan(request) };
}

export function leaseRequest(connector: Connector, options: unknown): LeaseRequest {
  return {
    leaseId: newId("lease", randomBytes),
    buildId: newId("build", randomBytes),
    expiresAt: Date.now() + 3600_000,
    options: connector.options === undefined ? undefined : connector.options.parse(options),
  };
}

/** Databases and issuers as one thing: what the lease code of the broker sees. */
export function slotOf(connector: Connector): {
  readonly plan: (request: LeaseRequest) => Readonly<Record<string, string>>;
  readonly issue: (
    context: ConnectorContext,
    org: OrgCredential,
    lease: PlannedLease,
  ) => Promise<SecretValues>;
  readonly revoke: (context: ConnectorContext, org: OrgCredential, lease: PlannedLease) => Promise<void>;
} {
  const { issuer, database } = connector;
  if (issuer !== undefined) return issuer;
  if (database === undefined) throw new Error(`connector ${connector.spec.id} has no slot`);
  return {
    plan: database.plan,
    issue: async (context, org, lease) =>
      database.access(context, org, lease, await database.create(context, org, lease)),
    revoke: database.drop,
  };
}

/** The org key as the broker holds it after `prepareOrgKey`. */
export async function orgCredential(
  connector: Connector,
  context: ConnectorContext,
  fields: SecretValues,
): Promise<OrgCredential> {
  return { version: 1, fields, facts: (await connector.prepareOrgKey?.(context, fields)) ?? {} };
}

/** The values of the secret org fields in the clear: what must appear nowhere. */
export function orgSecrets(connector: Connector, fields: SecretValues): string[] {
  return connector.spec.orgFields
    .filter(({ secret }) => secret)
    .flatMap(({ name }) => fields[name]?.reveal() ?? []);
}

/** Everything a logger could get out of a thrown value, cause chain and hidden properties included. */
export function everythingOf(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; current !== undefined && current !== null && depth < 10; depth++) {
    parts.push(String(current), inspect(current, { depth: 20, showHidden: true }), stringify(current));
    if (!(current instanceof Error)) break;
    parts.push(current.message, current.stack ?? "", stringify(Object.getOwnPropertyDescriptors(current)));
    current = current.cause;
  }
  return parts.join("\n");
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
