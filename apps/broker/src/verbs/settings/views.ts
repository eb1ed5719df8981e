import {
  type BindingView,
  isolationGradeMeanings,
  type PersonView,
  type SavedKeys,
  type SettingsView,
} from "@keyloan/contract";
import type { BindingRow, SessionRow, UserKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { findBuild } from "../builds/find-build.ts";
import { isoTime, profileOf } from "../builds/views.ts";
import { personView } from "../person/person-view.ts";
import { maskOf } from "./open-values.ts";

/** Everything the settings page shows of a build: whose keys are used, and masked what was saved. */
export async function settingsView(deps: Deps, session: SessionRow): Promise<SettingsView> {
  const { build } = await findBuild(deps, session.buildId);
  const [bindings, userKeys, person] = await Promise.all([
    deps.store.read.bindings.listByBuild(build.id),
    deps.store.read.userKeys.listByBuild(build.id),
    personView(deps, session),
  ]);
  const shown = shownKeys(userKeys, session, person);
  const order = [...deps.connectors.keys()];
  const ordered = bindings.toSorted((a, b) => order.indexOf(a.connectorId) - order.indexOf(b.connectorId));
  return {
    build: { id: build.id, name: build.name, state: build.state, profile: profileOf(build.profile) },
    version: build.settingsVersion,
    session: { expiresAt: isoTime(session.expiresAt), sealingKey: session.sealingKey },
    bindings: ordered.flatMap((binding) => bindingView(deps, binding, shown)),
    revertWindowSeconds: Math.round(deps.config.revertHours * 3600),
    ...(build.revertibleUntil === null ? {} : { revertibleUntil: isoTime(build.revertibleUntil) }),
    ...(build.finishedAt === null ? {} : { finishedAt: isoTime(build.finishedAt) }),
    person,
  };
}

/**
 * To everybody but the person public values are masked as well, and no account is named. What a person of before
 * left in use is nothing that the present one has saved.
 */
function shownKeys(
  rows: readonly UserKeyRow[],
  session: SessionRow,
  { standing }: PersonView,
): readonly UserKeyRow[] {
  if (standing === "you") return rows.filter(({ personId }) => personId === session.personId);
  return standing === "none" ? [] : rows.map(masked);
}

function masked(row: UserKeyRow): UserKeyRow {
  const previews = Object.entries(row.previews).map(([name, preview]) => [name, maskOf(preview)]);
  const { check } = row;
  if (check.status !== "valid") return { ...row, previews: Object.fromEntries(previews) };
  const { account: _, ...rest } = check;
  return { ...row, previews: Object.fromEntries(previews), check: rest };
}

function bindingView(deps: Deps, binding: BindingRow, userKeys: readonly UserKeyRow[]): BindingView[] {
  const spec = deps.connectors.get(binding.connectorId)?.spec;
  if (spec === undefined) return [];
  const saved = userKeys.find(({ connectorId }) => connectorId === binding.connectorId);
  const grade = binding.source === "user" ? "A" : spec.grade;
  return [
    {
      connector: binding.connectorId,
      source: binding.source,
      grade,
      gradeMeaning: isolationGradeMeanings[grade],
      ...(saved === undefined ? {} : { saved: savedView(saved) }),
      ...(binding.swappedAt === null ? {} : { swappedAt: isoTime(binding.swappedAt) }),
    },
  ];
}

function savedView(row: UserKeyRow): SavedKeys {
  return {
    fields: Object.entries(row.previews).map(([name, preview]) => ({ name, preview })),
    fingerprint: row.fingerprint,
    savedAt: isoTime(row.savedAt),
    checkedAt: isoTime(row.checkedAt),
    check: row.check,
  };
}
