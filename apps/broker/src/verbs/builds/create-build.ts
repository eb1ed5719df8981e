import { createHash } from "node:crypto";
import {
  type Actor,
  actorLabel,
  BrokerError,
  type ConnectorRequest,
  type EnvProfile,
  limits,
  newId,
} from "@keyloan/contract";
import type { BuildRow, ClaimedJob, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { newHeldJob } from "../../jobs/new-job.ts";
import { requireSoundAudit } from "../audit/audit-standing.ts";
import { auditRow } from "../audit.ts";
import { createOwnerKey } from "../owner-key.ts";
import { type SelectedConnector, selectConnectors } from "./select-connectors.ts";

export type CreateBuildInput = {
  readonly name: string;
  readonly connectors?: readonly ConnectorRequest[] | undefined;
  readonly ttlSeconds?: number | undefined;
  readonly profile?: EnvProfile | undefined;
};

/**
 * Records a build with everything it will own, in one transaction, and starts to issue its leases.
 * The same idempotency key and body give the build that was made first.
 * @returns the build's id; {@link waitUntilTried} waits for its leases
 * @throws BrokerError `idempotency_conflict` when the key was used for another body, or `audit_degraded`
 */
export async function createBuild(
  deps: Deps,
  actor: Actor,
  input: CreateBuildInput,
  options: { readonly idempotencyKey?: string | undefined; readonly requestId: string },
): Promise<string> {
  const { store } = deps;
  const principal = actorLabel(actor);
  const requestHash = createHash("sha256").update(canonicalJson(input)).digest("hex");
  const { idempotencyKey } = options;
  if (idempotencyKey !== undefined) {
    const known = await store.read.idempotencyKeys.find(principal, idempotencyKey);
    if (known !== undefined) return adopt(known, requestHash);
  }
  await requireSoundAudit(deps);
  const planned = planBuild(deps, actor, input, await selectConnectors(deps, input.connectors));
  const outcome = await store.write(async (tables) => {
    if (idempotencyKey !== undefined) {
      const known = await tables.idempotencyKeys.find(principal, idempotencyKey);
      if (known !== undefined) return { known };
      const { createdAt, id: buildId } = planned.build;
      await tables.idempotencyKeys.insert({
        principal,
        key: idempotencyKey,
        requestHash,
        buildId,
        createdAt,
      });
    }
    await tables.builds.insert(planned.build);
    await tables.dataKeys.insert(planned.dataKey);
    await tables.leases.insertAll(planned.leases);
    await tables.bindings.insertAll(
      planned.leases.map(({ buildId, connectorId, id }) => ({
        buildId,
        connectorId,
        source: "org",
        leaseId: id,
      })),
    );
    await tables.jobs.insertAll(planned.jobs);
    await tables.auditEvents.insertAll([
      auditRow(deps, {
        actor,
        action: "build.created",
        entity: planned.build.id,
        details: {
          connectors: planned.leases.map(({ connectorId }) => connectorId),
          expiresAt: planned.build.expiresAt,
        },
        requestId: options.requestId,
      }),
    ]);
    return { known: undefined };
  });
  if (outcome.known !== undefined) return adopt(outcome.known, requestHash);
  void deps.runner.run(planned.build.id, planned.jobs);
  return planned.build.id;
}

function adopt(
  known: { readonly requestHash: string; readonly buildId: string },
  requestHash: string,
): string {
  if (known.requestHash === requestHash) return known.buildId;
  throw new BrokerError("idempotency_conflict", "this Idempotency-Key was used for another request", {
    remedy: "Use a new key for a new build, or send the first body again.",
  });
}

function planBuild(
  deps: Deps,
  actor: Actor,
  input: CreateBuildInput,
  selected: readonly SelectedConnector[],
): {
  build: BuildRow;
  dataKey: ReturnType<typeof createOwnerKey>["row"];
  leases: LeaseRow[];
  jobs: ClaimedJob[];
} {
  const createdAt = deps.now();
  const build: BuildRow = {
    id: newId("build", deps.randomBytes),
    organizationId: deps.organizationId,
    name: input.name,
    state: "provisioning",
    profile: input.profile ?? "plain",
    createdBy: actorLabel(actor),
    createdAt,
    expiresAt: createdAt + (input.ttlSeconds ?? limits.ttlSecondsDefault) * 1000,
    renewableUntil: createdAt + limits.lifetimeSecondsMax * 1000,
    closedAt: null,
    settingsVersion: 0,
    revertibleUntil: null,
    finishedAt: null,
    downloadedAt: null,
    lendingEndedAt: null,
    adminRevert: null,
  };
  const leases = selected.map(({ connector, options }): LeaseRow => {
    const id = newId("lease", deps.randomBytes);
    const request = { leaseId: id, buildId: build.id, expiresAt: build.expiresAt, options };
    return {
      id,
      buildId: build.id,
      connectorId: connector.spec.id,
      state: "planned",
      grade: connector.spec.grade,
      handle: issuerOf(deps, connector).plan(request),
      options,
      env: null,
      orgKeyVersion: null,
      issuedAt: null,
      expiresAt: build.expiresAt,
      attempts: 0,
      lastError: null,
      createdAt,
      usage: null,
    };
  });
  const jobs = leases.map(({ id: entityId, buildId, connectorId }) =>
    newHeldJob(deps, { kind: "issue", entityId, buildId, connectorId }),
  );
  return { build, dataKey: createOwnerKey(deps, build.id).row, leases, jobs };
}

/** JSON with sorted keys and without absent members: equal requests have equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
