import { createHash } from "node:crypto";
import {
  actorLabel,
  BrokerError,
  type ConnectorRequest,
  type EnvProfile,
  limits,
  newId,
} from "@keyloan/contract";
import type { BuildRow, DataKeyRow, LeaseRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { createOwnerKey } from "../../sealing/data-key.ts";
import { requireSoundAudit } from "../audit/audit-standing.ts";
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
  by: By,
  input: CreateBuildInput,
  idempotencyKey?: string,
): Promise<string> {
  const { store } = deps;
  const principal = actorLabel(by.actor);
  const requestHash = createHash("sha256").update(canonicalJson(input)).digest("hex");
  if (idempotencyKey !== undefined) {
    const known = await store.read.idempotencyKeys.find(principal, idempotencyKey);
    if (known !== undefined) return adopt(known, requestHash);
  }
  await requireSoundAudit(deps);
  const planned = planBuild(deps, principal, input, await selectConnectors(deps, input.connectors));
  const scope = idempotencyKey === undefined ? [] : [`${principal} ${idempotencyKey}`];
  const known = await deps.change(by, scope, async (tx) => {
    if (idempotencyKey !== undefined) {
      const other = await tx.idempotencyKeys.find(principal, idempotencyKey);
      if (other !== undefined) return tx.unaudited(other);
      const { createdAt, id: buildId } = planned.build;
      await tx.idempotencyKeys.insert({
        principal,
        key: idempotencyKey,
        requestHash,
        buildId,
        createdAt,
      });
    }
    await tx.builds.insert(planned.build);
    await tx.dataKeys.insert(planned.dataKey);
    await tx.leases.insertAll(planned.leases);
    await tx.bindings.insertAll(
      planned.leases.map(({ buildId, connectorId, id }) => ({
        buildId,
        connectorId,
        source: "org",
        leaseId: id,
      })),
    );
    for (const { id: entityId, buildId, connectorId } of planned.leases)
      tx.job({ kind: "issue", entityId, buildId, connectorId });
    tx.audit("build.created", planned.build.id, {
      connectors: planned.leases.map(({ connectorId }) => connectorId),
      expiresAt: planned.build.expiresAt,
    });
    return undefined;
  });
  return known === undefined ? planned.build.id : adopt(known, requestHash);
}

function adopt(
  known: { readonly requestHash: string; readonly buildId: string },
  requestHash: string,
): string {
  if (known.requestHash === requestHash) return known.buildId;
  throw new BrokerError("idempotency_conflict", "this Idempotency-Key was already used for another request", {
    remedy: "Use a new key for a new build, or send the first body again.",
  });
}

function planBuild(
  deps: Deps,
  createdBy: string,
  input: CreateBuildInput,
  selected: readonly SelectedConnector[],
): { build: BuildRow; dataKey: DataKeyRow; leases: LeaseRow[] } {
  const createdAt = deps.now();
  const build: BuildRow = {
    id: newId("build", deps.randomBytes),
    organizationId: deps.organizationId,
    name: input.name,
    state: "provisioning",
    profile: input.profile ?? "plain",
    createdBy,
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
  return { build, dataKey: createOwnerKey(deps, build.id).row, leases };
}

/** JSON with sorted keys and without absent members: equal requests have equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
