import { BrokerError, type BuildView, type Connector, limits, type SecretValues } from "@keyloan/contract";
import type { BuildRow, LeaseRow, Tables, TokenRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { sealLease } from "../../sealing/lease-values.ts";
import { withKeyToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { recordFingerprints } from "../leases/record-fingerprints.ts";
import { isMaking } from "../leases/release-jobs.ts";
import { isLendingOver, lendingOver } from "../lending/lending-end.ts";
import { consumeSingleUse } from "../tokens/consume-single-use.ts";
import { findBuild, showBuild } from "./find-build.ts";

const renewDeadlineMs = 30_000;
/** A renewal moves the expiry by so much of the time asked for, or is not worth a provider's call. */
const worthwhileShare = 0.1;

type Renewed = { readonly lease: LeaseRow; readonly version: number; readonly values: SecretValues };

/**
 * Moves a build's expiry to `ttlSeconds` from now, at most to its renewable end, and mints anew what expires
 * with it. Either everything that is lent is renewed or nothing is; what was revoked stays so. An expiry that would
 * move by less than a tenth of `ttlSeconds` stays, and nothing is minted but what lives shorter than its lease.
 * @param token the caller's, which may be a single-use one
 * @throws BrokerError `not_found`, `build_closed`, `not_ready`; ProviderError when a provider refuses
 */
export async function renewBuild(
  deps: Deps,
  by: By,
  buildId: string,
  input: { readonly ttlSeconds?: number | undefined },
  token?: TokenRow,
): Promise<BuildView> {
  const { build, leases: all } = await findBuild(deps, buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  if (build.state !== "ready" && build.state !== "handing_off") throw notRenewable(build);
  const bindings = await deps.store.read.bindings.listByBuild(buildId);
  if (isLendingOver(deps.config, build, bindings, deps.now())) throw lendingOver(build);
  const ttlMs = (input.ttlSeconds ?? limits.ttlSecondsDefault) * 1000;
  // A renewal never shortens: credentials that are out already would outlive the row.
  const wanted = Math.max(build.expiresAt, Math.min(deps.now() + ttlMs, build.renewableUntil));
  const isWorthwhile = isWorthMoving(build, wanted, ttlMs);
  const expiresAt = isWorthwhile ? wanted : build.expiresAt;
  // What was revoked or cancelled is being ended, and the build goes on without it.
  const leases = all.filter(
    (lease) =>
      lease.state === "active" &&
      bindings.some(({ leaseId }) => leaseId === lease.id) &&
      (isWorthwhile || livesShorter(deps, lease)),
  );
  const minted = await mintAgain(deps, leases, expiresAt);
  const renewal = { expiresAt, minted, token };
  const isRecorded = await deps.change(by, [buildId], (tx) => record(deps, tx, build, renewal));
  if (!isRecorded) throw buildClosed("closing");
  return showBuild(deps, buildId);
}

/** The last step to the renewable end is always worth it: there is no larger one. */
function isWorthMoving({ expiresAt, renewableUntil }: BuildRow, wanted: number, ttlMs: number): boolean {
  const movedMs = wanted - expiresAt;
  return movedMs > 0 && (movedMs >= ttlMs * worthwhileShare || wanted === renewableUntil);
}

/** Whether the values of a lease may end before it, so that they are minted anew though it goes on as it was. */
function livesShorter({ connectors }: Pick<Deps, "connectors">, lease: LeaseRow): boolean {
  return connectors.get(lease.connectorId)?.issuer?.livesShorter?.(lease.options) === true;
}

type Renewal = {
  readonly expiresAt: number;
  readonly minted: readonly Renewed[];
  readonly token: TokenRow | undefined;
};

/** @returns false when the build was closed meanwhile; what was minted is ended then. @throws BrokerError `not_ready` */
async function record(
  deps: Deps,
  tx: Unit,
  { id: buildId }: BuildRow,
  { expiresAt, minted, token }: Renewal,
): Promise<boolean> {
  const dataKey = await tx.dataKeys.findByOwner(buildId);
  if (dataKey === undefined || !(await tx.builds.setExpiry(buildId, expiresAt))) {
    endLater(deps, tx, minted);
    return tx.unaudited(false);
  }
  await consumeSingleUse(tx, token, deps.now());
  await refuseWhileIssuing(tx, buildId);
  await refuseWhileReplaced(tx, minted);
  const revoked: Renewed[] = [];
  for (const fresh of minted) {
    const { lease, version, values } = fresh;
    const env = sealLease(deps, dataKey, lease.id, values);
    if (!(await tx.leases.update(lease.id, ["active"], { env, orgKeyVersion: version }))) {
      revoked.push(fresh);
      continue;
    }
    const specs = deps.connectors.get(lease.connectorId)?.spec.env ?? [];
    await recordFingerprints(deps, tx, lease.id, specs, values);
  }
  // Leases end with their build, those too that wait for their values or are archived.
  await tx.endings.setExpiry(buildId, expiresAt);
  endLater(deps, tx, revoked);
  const renewed = minted.filter((fresh) => !revoked.includes(fresh));
  const details = { expiresAt, minted: renewed.map(({ lease }) => lease.connectorId) };
  tx.audit("build.renewed", buildId, details);
  return true;
}

/** What was minted before somebody ended every credential of the lease is dead; nobody may be given it. */
async function refuseWhileReplaced(tables: Tables, minted: readonly Renewed[]): Promise<void> {
  for (const { lease } of minted) {
    const now = await tables.leases.find(lease.id);
    if (now?.state !== "active" || now.env === lease.env) continue;
    throw new BrokerError("not_ready", "the credentials of the build are being replaced right now", {
      remedy: "Try again in a moment.",
      retryAfterSeconds: 2,
    });
  }
}

/** What is being issued at this moment will end when its row said before; the row must not say otherwise. */
async function refuseWhileIssuing(tables: Tables, buildId: string): Promise<void> {
  const leases = await tables.leases.listByBuild(buildId);
  const waiting = leases.filter(({ state }) => state === "planned");
  const open = await tables.endings.openJobsOf(waiting.map(({ id }) => id));
  if (!open.some((job) => isMaking(job) && job.lockedBy !== null)) return;
  throw new BrokerError("not_ready", "a key of the build is being made right now", {
    remedy: "Try again in a moment.",
    retryAfterSeconds: 5,
  });
}

/** Credentials minted for leases that were ended meanwhile are ended too. */
function endLater({ now }: Pick<Deps, "now">, tx: Unit, minted: readonly Renewed[]): void {
  for (const { lease } of minted) {
    const { id: entityId, buildId, connectorId } = lease;
    tx.job({ kind: "release-again", entityId, buildId, connectorId }, now());
  }
}

async function mintAgain(deps: Deps, leases: readonly LeaseRow[], expiresAt: number): Promise<Renewed[]> {
  const signal = AbortSignal.timeout(renewDeadlineMs);
  const untilMs = deps.now() + renewDeadlineMs;
  const outcomes = await Promise.allSettled(
    leases.flatMap((lease) => {
      const connector = deps.connectors.get(lease.connectorId);
      const renew = connector === undefined ? undefined : issuerOf(deps, connector).renew;
      // What a person supplied was made by no key of the org, so none can mint it anew.
      const isSupplied = lease.orgKeyVersion === null;
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
  const { made, version } = await withKeyToIssue(deps, connector, (org) =>
    renew(deps.contextFor(connector, signal), org, planned(lease, expiresAt)),
  );
  return { lease, version, values: made };
}

function notRenewable(build: BuildRow): BrokerError {
  return new BrokerError("not_ready", `the build is ${build.state}, so there is nothing to renew`, {
    remedy:
      build.state === "handed_off"
        ? "You do not need to do anything: the app uses its user's own keys, which do not end with the build."
        : "Wait until the build is ready; `keyloan build show` shows what is missing.",
    details: { state: build.state },
  });
}
