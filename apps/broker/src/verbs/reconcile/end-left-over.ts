import {
  type Connector,
  type Finding,
  type OrgCredential,
  type PlannedLease,
  ProviderError,
} from "@keyloan/contract";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";

const deadlineMs = 30_000;

/** Ends one left-over resource by its handle, which reads its end back, and tells how that went. */
export async function endLeftOver(
  deps: Deps,
  connector: Connector,
  org: OrgCredential,
  target: PlannedLease,
  finding: Finding,
  by: By,
  signal: AbortSignal,
): Promise<Finding> {
  const failure = await endResource(deps, connector, org, target, signal);
  const action = failure === undefined ? "reconcile.ended" : "reconcile.end_failed";
  await deps.change(by, [], async (tx) =>
    tx.audit(action, finding.build ?? connector.spec.id, {
      connector: connector.spec.id,
      kind: finding.kind,
      name: finding.name,
      ...(finding.lease === undefined ? {} : { lease: finding.lease }),
      ...(failure === undefined ? {} : { code: failure.code }),
    }),
  );
  if (failure === undefined) {
    deps.metrics.reconcileEnded.inc({ connector: connector.spec.id });
    return { ...finding, action: "ended" };
  }
  const message = `${finding.message} It could not be ended: ${failure.provider} ${failure.message}.`;
  return { ...finding, action: "failed", message, remedy: failure.remedy };
}

async function endResource(
  deps: Deps,
  connector: Connector,
  org: OrgCredential,
  target: PlannedLease,
  signal: AbortSignal,
): Promise<ProviderError | undefined> {
  const context = deps.contextFor(connector, signal);
  try {
    await withRetry(deps, { untilMs: deps.now() + deadlineMs, signal }, () =>
      issuerOf(deps, connector).revoke(context, org, target),
    );
    return undefined;
  } catch (error) {
    if (error instanceof ProviderError) return error;
    throw error;
  }
}
