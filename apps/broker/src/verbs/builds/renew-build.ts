import {
  type Actor,
  BrokerError,
  type BuildView,
  type Connector,
  limits,
  ProviderError,
  type SecretValues,
} from "@keyloan/contract";
import type { BuildRow, LeaseRow, TokenRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../jobs/backoff.ts";
import { auditRow } from "../audit.ts";
import { sealLease } from "../leases/lease-secrets.ts";
import { credentialToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { recordFingerprints } from "../leases/record-fingerprints.ts";
import { consumeSingleUse } from "../tokens/consume-single-use.ts";
import { buildClosed, findBuild, showBuild } from "./find-build.ts";

const renewDeadlineMs = 30_000;

type Renewed = { readonly lease: LeaseRow; readonly version: number; readonly values: SecretValues };

/**
 * Moves a build's expiry to `ttlSeconds` from now, at most to its renewable end, and mints anew what expires
 * with it. Either everything is renewed or nothing is.
 * @throws BrokerError `not_found`, `build_closed`, `not_ready`; ProviderError when a provider refuses
 */
export async function renewBuild(
  deps: Deps,
  actor: Actor,
  buildId: string,
  input: { readonly ttlSeconds?: number | undefined },
  request: { readonly requestId: string; readonly token: TokenRow | undefined },
): Promise<BuildView> {
  const { build, leases: all } = await findBuild(deps, buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  if (build.state !== "ready" && build.state !== "handing_off") throw notRenewable(build);
  const bindings = await deps.store.read.bindings.listByBuild(buildId);
  // What a person cancelled is being ended, and the build goes on without it.
  const leases = all.filter(({ id }) => bindings.some(({ leaseId }) => leaseId === id));
  const wanted = deps.now() + (input.ttlSeconds ?? limits.ttlSecondsDefault) * 1000;
  // A renewal never shortens: credentials that are out already would outlive the row.
  const expiresAt = Math.max(build.expiresAt, Math.min(wanted, build.renewableUntil));
  const minted = await mintAgain(deps, leases, expiresAt);
  await deps.store.write(async (tables) => {
    await consumeSingleUse(tables, request.token, deps.now());
    const dataKey = await tables.dataKeys.findByOwner(buildId);
    if (dataKey === undefined || !(await tables.builds.setExpiry(buildId, expiresAt)))
      throw buildClosed("closing");
    for (const lease of leases) {
      const fresh = minted.find((renewed) => renewed.lease.id === lease.id);
      const env =
        fresh === undefined
          ? {}
          : { env: sealLease(deps.keyring, dataKey, lease.id, fresh.values), orgKeyVersion: fresh.version };
      if (fresh !== undefined) {
        const specs = deps.connectors.get(lease.connectorId)?.spec.env ?? [];
        await recordFingerprints(deps, tables, lease.id, specs, fresh.values);
      }
      if (!(await tables.leases.update(lease.id, ["active"], { ...env, expiresAt })))
        throw buildClosed("closing");
    }
    const details = { expiresAt, minted: minted.map(({ lease }) => lease.connectorId) };
    const { requestId } = request;
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "build.renewed", entity: buildId, details, requestId }),
    ]);
  });
  return showBuild(deps, buildId);
}

async function mintAgain(deps: Deps, leases: readonly LeaseRow[], expiresAt: number): Promise<Renewed[]> {
  const signal = AbortSignal.timeout(renewDeadlineMs);
  const untilMs = deps.now() + renewDeadlineMs;
  const outcomes = await Promise.allSettled(
    leases.flatMap((lease) => {
      const connector = deps.connectors.get(lease.connectorId);
      const renew = connector === undefined ? undefined : issuerOf(deps, connector).renew;
      // What a person supplied was made by no key of the org, so none can mint it anew.
      const isSupplied = lease.state === "active" && lease.orgKeyVersion === null;
      if (connector === undefined || renew === undefined || isSupplied) return [];
      return [
        withRetry(deps, { untilMs, signal }, () => mintOne(deps, connector, renew, lease, expiresAt, signal)),
      ];
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
}

async function mintOne(
  deps: Deps,
  connector: Connector,
  renew: NonNullable<Connector["issuer"]>["renew"] & {},
  lease: LeaseRow,
  expiresAt: number,
  signal: AbortSignal,
): Promise<Renewed> {
  if (lease.state !== "active")
    throw new ProviderError(lease.connectorId, "conflict", "holds no active lease");
  const org = await credentialToIssue(deps, connector);
  const values = await renew(deps.contextFor(connector, signal), org, planned(lease, expiresAt));
  return { lease, version: org.version, values };
}

function notRenewable(build: BuildRow): BrokerError {
  return new BrokerError("not_ready", `the build is ${build.state}, so there is nothing to renew`, {
    remedy: "Wait until the build is ready; `keyloan build show` tells what is missing.",
    details: { state: build.state },
  });
}
