import type { PersonView, SettingsView } from "@keyloan/contract";
import { type BuildRow, closesAt, type SessionRow, type UserKeyRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { findBuild } from "../builds/find-build.ts";
import { profileOf } from "../builds/views.ts";
import { lendingEndsAt, wayBackEndsAt } from "../lending/lending-end.ts";
import { stillLent } from "../lending/still-lent.ts";
import { personView } from "../person/person-view.ts";
import { bindingViews } from "./binding-views.ts";
import { maskOf } from "./open-values.ts";

/** Everything the settings page shows of a build: whose keys are used, and masked what was saved. */
export async function settingsView(deps: Deps, session: SessionRow): Promise<SettingsView> {
  const { build, leases } = await findBuild(deps, session.buildId);
  const [bindings, userKeys, transfers, person] = await Promise.all([
    deps.store.read.bindings.listByBuild(build.id),
    deps.store.read.userKeys.listByBuild(build.id),
    deps.store.read.transfers.listByBuild(build.id),
    personView(deps, session),
  ]);
  const shown = shownKeys(userKeys, session, person);
  return {
    build: {
      id: build.id,
      name: build.name,
      state: build.state,
      profile: profileOf(build.profile),
      ...optionalTime("keptUntil", closesAt(build)),
    },
    version: build.settingsVersion,
    session: { expiresAt: isoTime(visitEndsAt(session, build)), sealingKey: session.sealingKey },
    bindings: bindingViews(deps, { bindings, userKeys: shown, transfers }),
    revertWindowSeconds: Math.round(deps.config.revertHours * 3600),
    canGoBack: couldGoBack({ bindings, leases, transfers }, shown),
    ...lendingTimes(deps, build, { bindings, leases, transfers }),
    ...optionalTime("downloadedAt", build.downloadedAt),
    ...optionalTime("finishedAt", build.finishedAt),
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
  // The fingerprint is the same for the same keys in every build.
  const shown = { ...row, previews: Object.fromEntries(previews), fingerprint: "" };
  if (check.status !== "valid") return shown;
  const { account: _, ...rest } = check;
  return { ...shown, check: rest };
}

/** A visit ends with its build, whatever its own time. */
function visitEndsAt({ expiresAt }: SessionRow, build: BuildRow): number {
  return Math.min(expiresAt, closesAt(build) ?? expiresAt);
}

type LendingTimes = Pick<
  SettingsView,
  "revertibleUntil" | "lentUntil" | "lendingEndsAt" | "lendingEndedAt" | "adminRevert"
>;

/** Until when what was lent works where the app uses it, until when it can be gone back to, and when it ends. */
function lendingTimes(deps: Deps, build: BuildRow, rows: Parameters<typeof stillLent>[0]): LendingTimes {
  const { lendingEndedAt, adminRevert } = build;
  const endsAt = lendingEndsAt(deps.config, build, rows.bindings);
  const wayBack = stillLent(rows).length === 0 ? undefined : wayBackEndsAt(deps.config, build, rows.bindings);
  return {
    ...optionalTime("revertibleUntil", wayBack),
    ...optionalTime("lentUntil", lentUntil(rows)),
    ...optionalTime("lendingEndsAt", endsAt),
    ...optionalTime("lendingEndedAt", lendingEndedAt),
    ...(adminRevert === null
      ? {}
      : { adminRevert: { at: isoTime(adminRevert.at), reason: adminRevert.reason } }),
  };
}

/** Whether a switch to what is saved now could be taken back: what was lent may have been ended before it. */
function couldGoBack(rows: Parameters<typeof stillLent>[0], saved: readonly UserKeyRow[]): boolean {
  const willSwitch = (id: string) => saved.some(({ connectorId }) => connectorId === id);
  const bindings = rows.bindings.map((binding) =>
    willSwitch(binding.connectorId) ? { ...binding, source: "user" as const } : binding,
  );
  const isNoneSwitched = bindings.every(({ source }) => source === "org");
  return isNoneSwitched || stillLent({ ...rows, bindings }).length > 0;
}

/** When the first of the lent keys in use ends, unless it is renewed; `undefined` when none is in use. */
function lentUntil({ bindings, leases }: Parameters<typeof stillLent>[0]): number | undefined {
  const inUse = bindings.filter(({ source }) => source === "org").map(({ leaseId }) => leaseId);
  const works = leases.filter(({ id, state }) => state === "active" && inUse.includes(id));
  const ends = works.map(({ expiresAt }) => expiresAt);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function optionalTime<K extends string>(
  name: K,
  ms: number | null | undefined,
): Partial<Readonly<Record<K, string>>> {
  // The key is the name that was given: TypeScript widens a computed one to `string`.
  return ms === null || ms === undefined ? {} : ({ [name]: isoTime(ms) } as Record<K, string>);
}
