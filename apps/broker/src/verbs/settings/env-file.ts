import { BrokerError, type EnvFormat, type EnvProfile, Secret } from "@keyloan/contract";
import { type ConnectorValues, renderProductionEnv } from "@keyloan/env-generator";
import type { BuildRow, Tables } from "@keyloan/store";
import { beforeHandingOut } from "../../audit-row.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Deps } from "../../deps.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { openUserKey } from "../../sealing/user-keys.ts";
import { findBuild } from "../builds/find-build.ts";
import { profileOf } from "../builds/views.ts";
import type { Visit } from "../handoff/visit.ts";
import { keysOf, refuseForeignKeys, settingsChanged } from "./editable-build.ts";
import { requirePerson } from "./take-step.ts";

/**
 * The user's own env file, with nothing of the org in it. A preview hides every value and needs no audit row. The first
 * whole file starts the clock by which everything lent ends at the latest.
 * @throws BrokerError `not_ready` while a connector uses keys that are not the person's own, `build_closed`; `session_expired`
 * or `person_only` when the visit ended meanwhile
 */
export async function ownEnvFile(
  deps: Deps,
  visit: Visit,
  query: { readonly format: EnvFormat; readonly profile: EnvProfile | undefined; readonly preview: boolean },
): Promise<Secret> {
  const { build } = await findBuild(deps, visit.session.buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  const bindings = await deps.store.read.bindings.listByBuild(build.id);
  const lent = bindings.filter(({ source }) => source === "org").map(({ connectorId }) => connectorId);
  if (lent.length > 0) {
    throw new BrokerError("not_ready", `still lent: ${lent.join(", ")}`, {
      remedy: "Swap in your own keys for everything the app uses; then the file contains only yours.",
      details: { lent },
    });
  }
  const person = await deps.store.read.persons.findByBuild(build.id);
  const saved = await deps.store.read.userKeys.listByBuild(build.id);
  const keys = keysOf(bindings, saved, person);
  refuseForeignKeys(keys);
  const sources = await withDataKey(deps, build.id, (key) =>
    [...deps.connectors.values()].flatMap(({ spec }): ConnectorValues[] => {
      const binding = bindings.find(({ connectorId }) => connectorId === spec.id);
      const row = keys.keysInUse.find(({ id }) => id === binding?.userKeyId);
      if (row === undefined) return [];
      const values = openUserKey(key, row.id, row.env);
      // The user's account needs no grade: nothing in it is shared.
      return [{ spec: { ...spec, grade: "A" }, values }];
    }),
  );
  const options = {
    profile: query.profile ?? profileOf(build.profile),
    format: query.format,
    date: new Date(deps.now()),
    // A gate has told of test keys before; whoever goes on with them may have the file.
    testKeys: "warn",
  } as const;
  if (query.preview) {
    const hidden = sources.map(({ spec, values }) => ({
      spec,
      values: Object.fromEntries(Object.keys(values).map((name) => [name, Secret.of(`(hidden ${name})`)])),
    }));
    return Secret.of(renderProductionEnv(hidden, options).text);
  }
  const { text } = renderProductionEnv(sources, options);
  const names = sources.flatMap(({ values }) => Object.keys(values));
  const details = { format: query.format, names };
  await beforeHandingOut(deps, () =>
    deps.change(visit, [build.id], async (tx) => {
      await requirePerson(deps, tx);
      if (build.downloadedAt === null) await markDownloaded(deps, tx, build);
      tx.audit("env_file.read", build.id, details);
    }),
  );
  return Secret.of(text);
}

/** The clock starts for what is in the file: something that was changed meanwhile is not. */
async function markDownloaded(deps: Deps, tables: Tables, { id, settingsVersion }: BuildRow): Promise<void> {
  if ((await tables.builds.find(id))?.settingsVersion !== settingsVersion) throw settingsChanged();
  await tables.builds.markDownloaded(id, deps.now());
}
