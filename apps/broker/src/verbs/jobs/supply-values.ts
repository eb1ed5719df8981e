import {
  BrokerError,
  type Connector,
  type EnvVarSpec,
  findVariable,
  type JobView,
  Secret,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { validateKeys } from "@keyloan/key-validator";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Deps } from "../../deps.ts";
import { requireConnector } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";
import { endJob } from "../../queue/step.ts";
import { sealLease } from "../../sealing/lease-values.ts";
import { markReadyWhenComplete } from "../leases/mark-ready.ts";
import { recordFingerprints } from "../leases/record-fingerprints.ts";
import { generateOwn, stopWhenGivenUp } from "../settings/check-keys.ts";
import { findJob, jobConflict, showJob } from "./list-jobs.ts";

/**
 * Gives a build the values that a person made by hand for a lease that could not be issued. They are checked
 * like any key, sealed as the lease's own, and the build goes on.
 * @throws BrokerError `conflict` for a job that needs no values, `key_rejected` for values that are refused,
 * `provider_failed` for ones that could not be checked and are not forced, `build_closed`
 */
export async function supplyValues(
  deps: Deps,
  by: By,
  jobId: string,
  input: { readonly values: SecretValues; readonly force: boolean },
  signal: AbortSignal,
): Promise<JobView> {
  const { job, lease } = await findJob(deps, jobId);
  if (lease === undefined || job.kind !== "issue" || job.state !== "requires_action") throw needsNone(job);
  const connector = requireConnector(deps, lease.connectorId);
  const fields = fieldsFor(connector, input.values);
  const values = { ...defaultsOf(connector), ...generateOwn(deps, connector), ...input.values };
  const check = await checkSupplied(deps, connector, fields, values, signal);
  stopWhenGivenUp(signal);
  refuseUnless(check, input.force);
  await record(deps, by, { job, lease, fields, values, check });
  return showJob(deps, jobId);
}

/** The variables that may be given, each member of a family by its own name. */
function fieldsFor({ spec }: Connector, given: SecretValues): EnvVarSpec[] {
  const single = spec.env
    .filter(({ family }) => family !== true)
    .map((variable) => (variable.own?.kind === "absent" ? { ...variable, optional: true } : variable));
  const members = Object.keys(given).flatMap((name) => {
    const variable = findVariable(spec.env, name);
    return variable?.family === true ? [{ ...variable, name }] : [];
  });
  return [...single, ...members];
}

function defaultsOf({ spec }: Connector): SecretValues {
  return Object.fromEntries(
    spec.env.flatMap(({ name, own }) => (own?.kind === "default" ? [[name, Secret.of(own.value)]] : [])),
  );
}

async function checkSupplied(
  deps: Deps,
  connector: Connector,
  fields: readonly EnvVarSpec[],
  values: SecretValues,
  signal: AbortSignal,
): Promise<ValidationResult> {
  try {
    // Addresses in them were typed by a person: they are guarded like a user's.
    const context = deps.userContextFor(connector, signal);
    return await validateKeys({ fields, values, check: connector.validate, context });
  } catch (error) {
    deps.logger.error(
      { connector: connector.spec.id, ...describeError(error) },
      "a key check failed unexpectedly",
    );
    return { status: "undetermined", code: "provider_down", message: "the check could not be done" };
  }
}

function refuseUnless(check: ValidationResult, force: boolean): void {
  if (check.status === "invalid") {
    const { message, remedy, envVar, code } = check;
    throw new BrokerError("key_rejected", message, { remedy, details: { variable: envVar, code } });
  }
  if (check.status === "undetermined" && !force) {
    throw new BrokerError("provider_failed", `the values could not be checked: ${check.message}`, {
      remedy: "Try again when the provider answers, or send them with `force` when you know that they work.",
      details: { code: check.code },
    });
  }
}

async function record(
  deps: Deps,
  by: By,
  supplied: {
    readonly job: JobRow;
    readonly lease: LeaseRow;
    readonly fields: readonly EnvVarSpec[];
    readonly values: SecretValues;
    readonly check: ValidationResult;
  },
): Promise<void> {
  const { job, lease, fields, values, check } = supplied;
  await deps.change(by, [lease.buildId], async (tx) => {
    const dataKey = await tx.dataKeys.findByOwner(lease.buildId);
    if (dataKey === undefined) throw buildClosed("closing");
    if (!(await endJob(deps, tx, job))) throw needsNone(job);
    const active = await tx.leases.update(lease.id, ["requires_action"], {
      state: "active",
      env: sealLease(deps, dataKey, lease.id, values),
      // No org key made it; the handle stays, so that what stands under the planned name is ended too.
      orgKeyVersion: null,
      issuedAt: deps.now(),
      lastError: null,
    });
    if (!active) throw needsNone(job);
    await recordFingerprints(deps, tx, lease.id, fields, values);
    const details = {
      job: job.id,
      connector: lease.connectorId,
      names: Object.keys(values),
      check: check.status,
      resource: lease.handle,
    };
    tx.audit("lease.supplied", lease.buildId, details);
    await markReadyWhenComplete(tx, lease.buildId);
  });
}

function needsNone(job: JobRow): BrokerError {
  return jobConflict(
    job,
    `the job does not need any values: it is ${job.state}`,
    "Only a job of the kind issue that requires action accepts values; see it with `keyloan jobs show`.",
  );
}
