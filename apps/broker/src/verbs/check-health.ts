import { type AuditProblem, type Health, newId } from "@keyloan/contract";
import { appendAudit } from "../audit-row.ts";
import { bySystem } from "../change.ts";
import type { Deps } from "../deps.ts";
import { describeError } from "../observe/logger.ts";
import { storeTrouble } from "../store-trouble.ts";
import { findStandingProblem } from "./audit/audit-standing.ts";

export type HealthPart = { readonly name: string; readonly ok: boolean; readonly message?: string };

/** Parts without which envs are read all the same: a person has to look, and nobody is sent away. */
const watchedParts: readonly string[] = ["anchor", "audit_sink", "work"];

const refusedShownMax = 5;
const isJobId = (text: string) => /^job_[0-9a-z]{20}$/.test(text);
const partTimeoutMs = 2_000;
const auditProbeIntervalMs = 10_000;
const answerKeptMs = 1_000;
const tellIntervalMs = 10_000;

type Tell = (part: string, error: unknown) => void;

/** What the parts come to. */
export function healthStatus(parts: readonly HealthPart[]): Health["status"] {
  const bad = parts.filter(({ ok }) => !ok);
  if (bad.length === 0) return "ok";
  return bad.every(({ name }) => watchedParts.includes(name)) ? "degraded" : "failing";
}

/**
 * Checks what the broker cannot work without, and the audit's anchor; every part answers within its time. All who ask
 * while a check is under way, or within a second of it, get its answer: no limit keeps anybody from asking.
 */
export function createHealthCheck(deps: Deps): () => Promise<readonly HealthPart[]> {
  const proveAudit = createAuditProbe(deps);
  const proveKeyring = async () => {
    const unknown = (await deps.store.read.dataKeys.listKeyIds()).filter(
      (kid) => !deps.keyring.keyIds.includes(kid),
    );
    if (unknown.length > 0) throw new Error("unknown root key");
  };
  const tell = createTeller(deps);
  const check = () =>
    Promise.all([
      probe(tell, "store", deps.store.check, "the store cannot be read"),
      probe(
        tell,
        "keyring",
        proveKeyring,
        "a root key that wraps data keys is missing: add it to KEYLOAN_ROOT_KEY",
      ),
      probe(tell, "audit", proveAudit, "the audit trail cannot be written"),
      anchorPart(deps, tell),
      workPart(deps, tell),
      ...(deps.config.auditSink === undefined ? [] : [sinkPart(deps, tell)]),
    ]);
  let latest: ReturnType<typeof check> | undefined;
  let answeredAt: number | undefined;
  return () => {
    // Of a clock that was set back nothing is known either.
    const isOld = answeredAt !== undefined && Math.abs(deps.now() - answeredAt) >= answerKeptMs;
    if (latest !== undefined && !isOld) return latest;
    answeredAt = undefined;
    latest = check().finally(() => {
      answeredAt = deps.now();
    });
    return latest;
  };
}

async function anchorPart(deps: Deps, tell: Tell): Promise<HealthPart> {
  let problem: AuditProblem | undefined;
  const look = async () => {
    problem = await findStandingProblem(deps);
  };
  const part = await probe(tell, "anchor", look, "the audit cannot be compared with what was signed");
  if (problem === undefined) return part;
  return { name: "anchor", ok: false, message: `${problem.message}: run keyloan audit verify` };
}

/** Jobs and sweeps: what ends what was lent. */
async function workPart({ workWatch, store }: Deps, tell: Tell): Promise<HealthPart> {
  let refused: readonly string[] = [];
  const look = async () => {
    refused = await store.read.jobs.listRefused(refusedShownMax);
  };
  const part = await probe(tell, "work", look, "the jobs cannot be read");
  const failing = workWatch.failing().map(({ work, times }) => `${work} (${times} times)`);
  if (failing.length > 0)
    return {
      name: "work",
      ok: false,
      message: `background work keeps failing: ${failing.join(", ")}`,
    };
  if (refused.length === 0) return part;
  // Whoever writes to the store chooses what stands there, and anybody may read this.
  const which = refused.map((id) => (isJobId(id) ? id : "one without an id")).join(", ");
  return { name: "work", ok: false, message: `jobs that this broker did not write were not run: ${which}` };
}

async function sinkPart(deps: Deps, tell: Tell): Promise<HealthPart> {
  let failure: string | undefined;
  const look = async () => {
    failure = (await deps.headDelivery.state())?.failure;
  };
  const part = await probe(tell, "audit_sink", look, "it is unknown what the audit sink has");
  if (failure === undefined) return part;
  return { name: "audit_sink", ok: false, message: `the audit sink does not accept heads (${failure})` };
}

/**
 * Proves that the audit can be written, by a row every so often. A request that could not be audited makes the
 * next call prove it anew; while one proof waits, all calls wait for that one.
 */
function createAuditProbe(deps: Deps): () => Promise<void> {
  let provenAt = Number.NEGATIVE_INFINITY;
  let failuresKnown = 0;
  let underWay: Promise<void> | undefined;
  const prove = async () => {
    const failures = deps.auditWatch.failures();
    const entity = newId("request", deps.randomBytes);
    await appendAudit(deps, { ...bySystem("health"), action: "health.probed", entity, details: {} });
    provenAt = deps.now();
    failuresKnown = failures;
  };
  return async () => {
    // Of a clock that was set back nothing is known either.
    const isProven = Math.abs(deps.now() - provenAt) < auditProbeIntervalMs;
    if (isProven && deps.auditWatch.failures() === failuresKnown) return;
    underWay ??= prove().finally(() => {
      underWay = undefined;
    });
    await underWay;
  };
}

/** Logs what failed, but not for everybody who asks. */
function createTeller({ logger, now }: Pick<Deps, "logger" | "now">): Tell {
  const toldAt = new Map<string, number>();
  return (part, error) => {
    if (Math.abs(now() - (toldAt.get(part) ?? Number.NEGATIVE_INFINITY)) < tellIntervalMs) return;
    toldAt.set(part, now());
    logger.error({ part, ...describeError(error) }, "a health check failed");
  };
}

async function probe(
  tell: Tell,
  name: string,
  check: () => Promise<void>,
  message: string,
): Promise<HealthPart> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), partTimeoutMs);
  });
  try {
    await Promise.race([check(), late]);
    return { name, ok: true };
  } catch (error) {
    tell(name, error);
    const trouble = storeTrouble(error);
    return { name, ok: false, message: trouble === undefined ? message : `${message}: ${trouble.reason}` };
  } finally {
    clearTimeout(timer);
  }
}
