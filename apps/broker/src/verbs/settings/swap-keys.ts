import { BrokerError, type GateResult, type SwapResult } from "@keyloan/contract";
import type { BindingRow, Tables, TransferRow, UserKeyRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { type GateConnector, runGates } from "../../gates/run-gates.ts";
import { describeError } from "../../observe/logger.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { openUserKey } from "../../sealing/user-keys.ts";
import { keepAliveUntil } from "../builds/keep-alive.ts";
import { profileOf } from "../builds/views.ts";
import { endsWithin } from "../builds/wait-until-tried.ts";
import type { Visit } from "../handoff/visit.ts";
import { isLendingOver, revertWindowMs } from "../lending/lending-end.ts";
import { stillLent } from "../lending/still-lent.ts";
import { copiesToSwitch, giveTargets, recordSwitched } from "../transfers/switch-transfers.ts";
import { isLent } from "./check-keys.ts";
import { type EditableBuild, editableBuild, settingsChanged } from "./editable-build.ts";
import { type Answers, answersFor } from "./preview-answers.ts";
import { probeDurability } from "./probe-durability.ts";
import { takeStep } from "./take-step.ts";
import { settingsView } from "./views.ts";

const notesMsMax = 3_000;

type SwapInput = {
  readonly connectors?: readonly string[] | undefined;
  readonly dryRun: boolean;
  /** By connector, whether the build's own env may hold the user's values; the rest as the page preselects it. */
  readonly preview?: Answers | undefined;
  readonly expectedVersion: number;
};

/**
 * Lets the app use the user's own keys: the gates first, then every binding at once. The lent keys live on
 * until the end of the revert window.
 * @throws BrokerError `invalid_input` for answers about the preview that do not fit, `gates_failed` with every result, `settings_changed`, `not_found` when nothing is saved,
 * `already_running` while data is being moved, `conflict` when what was moved does not fit any more
 */
export async function swapKeys(deps: Deps, visit: Visit, input: SwapInput): Promise<SwapResult> {
  const editable = await editableBuild(deps, visit.session, input.expectedVersion);
  const targets = swapTargets(editable, input.connectors);
  const transfers = await deps.store.read.transfers.listByBuild(editable.build.id);
  const ids = targets.map(({ connectorId }) => connectorId);
  const preview = answersFor({ ...editable, transfers }, ids, input.preview ?? {});
  const gates = await askGates(deps, editable, targets);
  const failed = gates.some(({ status }) => status === "fail");
  if (failed && !input.dryRun) {
    throw new BrokerError("gates_failed", "some checks do not pass yet, so nothing was changed", {
      remedy: "Fix what `details.gates` lists, then swap again.",
      details: { gates },
    });
  }
  if (!input.dryRun) {
    const copies = await copiesToSwitch(deps, editable.build.id, targets);
    await recordSwap(deps, visit, editable, { targets, copies, preview });
    // Whoever looks into a moved database after this finds no table of ours, if it answers.
    const notesEnded = Promise.all(copies.map(({ id }) => deps.runner.tried(id))).then(() => undefined);
    await endsWithin(deps, notesEnded, notesMsMax);
  }
  return { gates, settings: await settingsView(deps, visit.session) };
}

function swapTargets(editable: EditableBuild, wanted: readonly string[] | undefined): UserKeyRow[] {
  const newest = new Map<string, UserKeyRow>();
  for (const row of editable.userKeys) if (!newest.has(row.connectorId)) newest.set(row.connectorId, row);
  const missing = wanted?.find((connectorId) => !newest.has(connectorId));
  if (missing !== undefined || newest.size === 0) {
    throw new BrokerError(
      "not_found",
      `no keys of yours are saved${missing === undefined ? "" : ` for ${missing}`}`,
      {
        remedy: "Save your own keys first.",
      },
    );
  }
  return [...newest.values()].filter(({ connectorId }) => wanted?.includes(connectorId) ?? true);
}

async function askGates(
  deps: Deps,
  editable: EditableBuild,
  targets: readonly UserKeyRow[],
): Promise<GateResult[]> {
  const { build, bindings, userKeys } = editable;
  const leases = await deps.store.read.leases.listByBuild(build.id);
  const connectors = await withDataKey(deps, build.id, (key) =>
    bindings.flatMap((binding): GateConnector[] => {
      const spec = deps.connectors.get(binding.connectorId)?.spec;
      const own =
        targets.find(({ connectorId }) => connectorId === binding.connectorId) ?? rowInUse(binding, userKeys);
      if (spec === undefined) return [];
      if (own !== undefined) {
        return [{ spec, source: "user", values: openUserKey(key, own.id, own.env), check: own.check }];
      }
      // What a person who was replaced left in use is nobody's to look into.
      if (binding.source === "user") return [];
      const lease = leases.find(({ id }) => id === binding.leaseId);
      if (lease === undefined || lease.env === null) return [];
      return [{ spec, source: "org", values: openLease(key, lease.id, lease.env), check: undefined }];
    }),
  );
  const unread = bindings.flatMap(({ connectorId, source }) => {
    const isAsked = source === "org" || connectors.some(({ spec }) => spec.id === connectorId);
    return isAsked ? [] : (deps.connectors.get(connectorId)?.spec ?? []);
  });
  return runGates({
    connectors,
    unread,
    profile: profileOf(build.profile),
    allowPrivateAddresses: deps.config.allowPrivateAddresses,
    isOurs: (value) => isLent(deps, value),
    probeDurability: (database) => probeDurability(deps, database),
    onMistake: (gate, error) =>
      deps.logger.error({ gate, ...describeError(error) }, "a gate failed unexpectedly"),
  });
}

function rowInUse(binding: BindingRow, userKeys: readonly UserKeyRow[]): UserKeyRow | undefined {
  return binding.source === "user" ? userKeys.find(({ id }) => id === binding.userKeyId) : undefined;
}

type Swap = {
  readonly targets: readonly UserKeyRow[];
  readonly copies: readonly TransferRow[];
  readonly preview: ReadonlyMap<string, boolean>;
};

async function recordSwap(
  deps: Deps,
  visit: Visit,
  { build, bindings }: EditableBuild,
  { targets, copies, preview }: Swap,
): Promise<void> {
  // When nothing is lent any more, there is nothing that could be gone back to, and no preview.
  const nothingIsLent = isLendingOver(deps.config, build, bindings, deps.now());
  const revertibleUntil = nothingIsLent ? build.revertibleUntil : await windowEnd(deps, visit, build.id);
  // After the renewals that came with the end of the window: it is counted from here at the latest.
  const now = deps.now();
  const answers = Object.fromEntries([...preview].map(([id, answer]) => [id, answer && !nothingIsLent]));
  await deps.change(visit, [build.id], async (tx) => {
    const changes = { revertibleUntil, adminRevert: null };
    await takeStep(deps, tx, build, changes);
    if (build.state === "ready") await tx.builds.moveState(build.id, ["ready"], "handing_off");
    for (const { connectorId, id } of targets) {
      const allowed = answers[connectorId] ?? false;
      if (!(await tx.bindings.swap(build.id, connectorId, id, now, allowed))) throw settingsChanged();
    }
    await tx.userKeys.removeLeftBehind(build.id);
    await recordSwitched(deps, tx, copies, revertibleUntil ?? now);
    await giveTargets(tx, build.id, targets);
    const moved = copies.map(({ connectorId }) => connectorId);
    const connectors = targets.map(({ connectorId }) => connectorId);
    const wayBackUntil = (await hasWayBack(tx, build.id)) ? revertibleUntil : null;
    tx.audit("keys.swapped", build.id, {
      connectors,
      moved,
      preview: answers,
      revertibleUntil: wayBackUntil,
    });
  });
}

/** Whether what was lent is still there to go back to: a token may have ended it before the switch. */
async function hasWayBack(tables: Tables, buildId: string): Promise<boolean> {
  const bindings = await tables.bindings.listByBuild(buildId);
  const leases = await tables.leases.listByBuild(buildId);
  const transfers = await tables.transfers.listByBuild(buildId);
  return stillLent({ bindings, leases, transfers }).length > 0;
}

/** The end of the time to go back, which is promised only as long as what was lent lives. */
async function windowEnd(deps: Deps, by: By, buildId: string): Promise<number> {
  const wanted = deps.now() + revertWindowMs(deps.config);
  return Math.min(wanted, await keepAliveUntil(deps, by, buildId, wanted));
}
