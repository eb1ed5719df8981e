import {
  BrokerError,
  type Connector,
  type DatabaseContent,
  type DatabaseControl,
  type DatabaseDriver,
} from "@keyloan/contract";
import type { BindingRow, BuildRow, LeaseRow } from "@keyloan/store";
import { buildClosed } from "../../build-closed.ts";
import { type Deps, requireConnector } from "../../deps.ts";
import { findBuild } from "../builds/find-build.ts";

/** A connector whose databases can be put away whole and brought back. */
export type Archivable = {
  readonly connector: Connector;
  readonly database: DatabaseDriver;
  readonly content: DatabaseContent;
  readonly control: DatabaseControl;
};

/** `undefined` when its databases cannot be stopped, read or filled. */
export function archivableOf(connector: Connector | undefined): Archivable | undefined {
  const { content, control } = connector?.database ?? {};
  if (connector?.database === undefined || content === undefined || control === undefined) return undefined;
  return { connector, database: connector.database, content, control };
}

export type BuildDatabase = {
  readonly build: BuildRow;
  readonly lease: LeaseRow;
  readonly binding: BindingRow;
  readonly archivable: Archivable;
};

/**
 * The database that a build uses of a connector, by the lease that its binding names.
 * @throws BrokerError `not_found`, `unknown_connector`, `not_supported`, `build_closed`
 */
export async function findDatabase(
  deps: Pick<Deps, "store" | "connectors">,
  buildId: string,
  connectorId: string,
): Promise<BuildDatabase> {
  const { build, leases } = await findBuild(deps, buildId);
  const connector = requireConnector(deps, connectorId);
  const bindings = await deps.store.read.bindings.listByBuild(buildId);
  const binding = bindings.find((each) => each.connectorId === connectorId);
  const lease = leases.find(({ id }) => id === binding?.leaseId);
  if (binding === undefined || lease === undefined) {
    throw new BrokerError("not_found", `the build has nothing of ${connectorId}`, {
      remedy: "See what it has with `keyloan build show`.",
    });
  }
  const archivable = archivableOf(connector);
  if (archivable === undefined) {
    throw new BrokerError("not_supported", `the build's ${connectorId} lease cannot be read as a database`, {
      remedy: "`keyloan db list` shows the databases of a build.",
    });
  }
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  return { build, lease, binding, archivable };
}
