import { BrokerError, type Connector } from "@keyloan/contract";
import type { BindingRow, BuildRow, PersonRow, SessionRow, UserKeyRow } from "@keyloan/store";
import { buildClosed } from "../../build-closed.ts";
import { type Deps, requireConnector } from "../../deps.ts";
import { findBuild } from "../builds/find-build.ts";

export type EditableBuild = {
  readonly build: BuildRow;
  readonly bindings: readonly BindingRow[];
  /** Who the build belongs to; absent before the first save, and after somebody started over. */
  readonly person: PersonRow | undefined;
  /** What the person has saved, newest first. */
  readonly userKeys: readonly UserKeyRow[];
  /** What the app uses that was not lent: also of a person who has ended, until it is replaced. */
  readonly keysInUse: readonly UserKeyRow[];
};

/**
 * A build while its settings can change.
 * @throws BrokerError `build_closed`, `not_ready` while keys are still being lent, `conflict` when it is finished,
 * `settings_changed` when the caller saw an older state
 */
export async function editableBuild(
  deps: Deps,
  session: Pick<SessionRow, "buildId">,
  expectedVersion?: number,
): Promise<EditableBuild> {
  const { build } = await findBuild(deps, session.buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  if (build.state === "provisioning") {
    throw new BrokerError("not_ready", "this app's lent keys are still being made", {
      remedy: "Try again in a minute.",
    });
  }
  if (build.state === "handed_off") {
    throw new BrokerError("conflict", "the handoff is finished, so nothing can be changed here any more", {
      remedy: "You can still download your env file while this page is open.",
    });
  }
  if (expectedVersion !== undefined && build.settingsVersion !== expectedVersion) throw settingsChanged();
  const [person, bindings, saved] = await Promise.all([
    deps.store.read.persons.findByBuild(build.id),
    deps.store.read.bindings.listByBuild(build.id),
    deps.store.read.userKeys.listByBuild(build.id),
  ]);
  return { build, bindings, person, ...keysOf(bindings, saved, person) };
}

/** Of all that is saved for a build: what is the person's, and what the app uses. */
export function keysOf(
  bindings: readonly BindingRow[],
  saved: readonly UserKeyRow[],
  person: PersonRow | undefined,
): Pick<EditableBuild, "userKeys" | "keysInUse"> {
  return {
    userKeys: person === undefined ? [] : saved.filter(({ personId }) => personId === person.id),
    keysInUse: saved.filter(({ id }) => bindings.some(({ userKeyId }) => userKeyId === id)),
  };
}

/** Connectors whose keys the app uses and which a person who has ended saved. */
export function foreignKeys({ userKeys, keysInUse }: ReturnType<typeof keysOf>): readonly string[] {
  return keysInUse.filter((row) => !userKeys.includes(row)).map(({ connectorId }) => connectorId);
}

/**
 * Keeps what was saved by a person who has ended from everybody, though the app still uses it.
 * @throws BrokerError `not_ready` until the present person has replaced all of it
 */
export function refuseForeignKeys(keys: ReturnType<typeof keysOf>): void {
  const foreign = foreignKeys(keys);
  if (foreign.length === 0) return;
  throw new BrokerError(
    "not_ready",
    `still in use from before somebody started over: ${foreign.join(", ")}`,
    {
      remedy: "Save your own keys for these and switch to them; the old ones are deleted then.",
      details: { foreign },
    },
  );
}

/** @throws BrokerError `unknown_connector`, or `not_found` for one that this build does not use */
export function boundConnector(deps: Deps, editable: EditableBuild, connectorId: string): Connector {
  const connector = requireConnector(deps, connectorId);
  if (editable.bindings.some((binding) => binding.connectorId === connectorId)) return connector;
  throw new BrokerError("not_found", `this app does not use ${connector.spec.label}`, {
    remedy: "Reload the page: it lists what the app uses.",
  });
}

export function settingsChanged(): BrokerError {
  return new BrokerError("settings_changed", "the settings were changed meanwhile, perhaps in another tab", {
    remedy: "Reload to see the newest state, then try again.",
  });
}
