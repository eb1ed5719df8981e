import type { SettingsView } from "@keyloan/contract";
import type { BindingRow, BuildRow, SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { findBuild } from "../builds/find-build.ts";
import { isoTime, profileOf } from "../builds/views.ts";
import { lendingEndsAt } from "../lending/lending-end.ts";
import { bindingViews } from "./binding-views.ts";

/** Everything the settings page shows of a build: whose keys are used, and masked what was saved. */
export async function settingsView(deps: Deps, session: SessionRow): Promise<SettingsView> {
  const { build } = await findBuild(deps, session.buildId);
  const [bindings, userKeys, transfers] = await Promise.all([
    deps.store.read.bindings.listByBuild(build.id),
    deps.store.read.userKeys.listByBuild(build.id),
    deps.store.read.transfers.listByBuild(build.id),
  ]);
  return {
    build: { id: build.id, name: build.name, state: build.state, profile: profileOf(build.profile) },
    version: build.settingsVersion,
    session: { expiresAt: isoTime(session.expiresAt), sealingKey: session.sealingKey },
    bindings: bindingViews(deps, { bindings, userKeys, transfers }),
    revertWindowSeconds: Math.round(deps.config.revertHours * 3600),
    ...lendingTimes(deps, build, bindings),
    ...(build.finishedAt === null ? {} : { finishedAt: isoTime(build.finishedAt) }),
    person: { standing: userKeys.length === 0 ? "none" : "nobody_can_prove" },
  };
}

type LendingTimes = Pick<
  SettingsView,
  "revertibleUntil" | "lendingEndsAt" | "lendingEndedAt" | "adminRevert"
>;

/** Until when what was lent can be gone back to, and when it ends. */
function lendingTimes(deps: Deps, build: BuildRow, bindings: readonly BindingRow[]): LendingTimes {
  const { lendingEndedAt, adminRevert } = build;
  const endsAt = lendingEndsAt(deps.config, build, bindings);
  const revertibleUntil = endsAt ?? build.revertibleUntil;
  return {
    ...(revertibleUntil === null ? {} : { revertibleUntil: isoTime(revertibleUntil) }),
    ...(endsAt === undefined ? {} : { lendingEndsAt: isoTime(endsAt) }),
    ...(lendingEndedAt === null ? {} : { lendingEndedAt: isoTime(lendingEndedAt) }),
    ...(adminRevert === null
      ? {}
      : { adminRevert: { at: isoTime(adminRevert.at), reason: adminRevert.reason } }),
  };
}
