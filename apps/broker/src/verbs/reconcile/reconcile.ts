import {
  BrokerError,
  type Connector,
  type ConnectorReport,
  findingKinds,
  type ReconcileReport,
} from "@keyloan/contract";
import { openActiveOrgKey } from "@keyloan/org-keys";
import type { By } from "../../audit-row.ts";
import { type Deps, requireConnector } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { issuerOf } from "../../issuer-of.ts";
import { type ReconcileOptions, reconcileConnector } from "./reconcile-connector.ts";

const deadlineMs = 240_000;
const noticeEveryMs = 24 * 3_600_000;

export type ReconcileInput = { readonly dryRun: boolean; readonly connector?: string | undefined };

/**
 * Compares what providers list with what the rows say, both ways, and fixes what the policy allows.
 * @throws BrokerError `unknown_connector`, `not_supported` for a named connector that cannot be listed,
 * `org_key_missing` for one without a key
 */
export async function reconcile(
  deps: Deps,
  by: By,
  input: ReconcileInput,
  requested?: AbortSignal,
): Promise<ReconcileReport> {
  const at = deps.now();
  const { reconcilePolicy: policy } = deps.config;
  const options = { by, dryRun: input.dryRun, endsLeftOver: policy === "mend" };
  const timeout = AbortSignal.timeout(deadlineMs);
  const signal = requested === undefined ? timeout : AbortSignal.any([timeout, requested]);
  const wanted = connectorsOf(deps, input.connector);
  const reports = await Promise.all(
    wanted.map((connector) => reconcileOne(deps, connector, input.connector !== undefined, options, signal)),
  );
  const connectors = reports.filter((report) => report !== undefined);
  return {
    at: isoTime(at),
    dryRun: input.dryRun,
    policy,
    needsPerson: connectors.some((report) => needsPerson(report, options.endsLeftOver)),
    connectors,
  };
}

function connectorsOf(deps: Deps, id: string | undefined): readonly Connector[] {
  const canList = (connector: Connector) => issuerOf(deps, connector).list !== undefined;
  if (id === undefined) return [...deps.connectors.values()].filter(canList);
  const connector = requireConnector(deps, id);
  if (canList(connector)) return [connector];
  throw new BrokerError("not_supported", `Keyloan cannot list the builds' resources at ${id}`, {
    remedy: "Nothing of a build remains there when its lease has ended; there is nothing to compare.",
  });
}

async function reconcileOne(
  deps: Deps,
  connector: Connector,
  isNamed: boolean,
  options: ReconcileOptions,
  signal: AbortSignal,
): Promise<ConnectorReport | undefined> {
  const { id } = connector.spec;
  const org = await openActiveOrgKey(deps, id);
  if (org === undefined) {
    if (!isNamed) return undefined;
    throw new BrokerError("org_key_missing", `the org has no key for ${id}`, {
      remedy: `Set one with \`keyloan org-keys set ${id}\`.`,
    });
  }
  const report = await reconcileConnector(deps, connector, org, options, signal);
  await record(deps, report, options);
  return report;
}

/** Unknown, missing, or not to be fixed: nobody but a person can see to it. */
function needsPerson({ state, findings }: ConnectorReport, endsLeftOver: boolean): boolean {
  return (
    state !== "compared" ||
    findings.some(
      ({ kind, action }) =>
        action !== "ended" && !(endsLeftOver && kind === "left_over" && action === "told"),
    )
  );
}

async function record(
  deps: Deps,
  report: ConnectorReport,
  { by, dryRun, endsLeftOver }: ReconcileOptions,
): Promise<void> {
  const { connector, state, listed, findings } = report;
  const countOf = (kind: string) => findings.filter((finding) => finding.kind === kind).length;
  for (const kind of findingKinds) deps.metrics.reconcileFindings.set({ connector, kind }, countOf(kind));
  const ended = findings.filter(({ action }) => action === "ended").length;
  const counts = Object.fromEntries(findingKinds.map((kind) => [kind, countOf(kind)]));
  await deps.change(by, [connector], async (tx) => {
    tx.audit("reconcile.compared", connector, { state, listed, ended, dryRun, ...counts });
    if (dryRun || !needsPerson(report, endsLeftOver)) return;
    if (!(await tx.schedules.take(`reconcile-told:${connector}`, deps.now(), noticeEveryMs))) return;
    tx.notice({
      type: "reconcile.findings",
      message:
        report.message ??
        `The resources at ${connector} differ from Keyloan's records: ${findingKinds.map((kind) => `${counts[kind]} ${kind.replace("_", " ")}`).join(", ")}.`,
      connectorId: connector,
      remedy: report.remedy ?? `Look at it with \`keyloan reconcile --dry-run --connector ${connector}\`.`,
    });
  });
}
