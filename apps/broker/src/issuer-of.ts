import type { Connector, Issuer } from "@keyloan/contract";
import { toIssuer } from "@keyloan/database-provisioner";
import type { Deps } from "./deps.ts";

/** How a connector's leases are issued: its own issuer, or its database in the steps every database has. */
export function issuerOf(deps: Pick<Deps, "sleep" | "now" | "randomBytes">, connector: Connector): Issuer {
  const { database, issuer, spec } = connector;
  if (issuer !== undefined) return issuer;
  if (database === undefined) throw new Error(`the connector ${spec.id} issues nothing`);
  const random = () => (deps.randomBytes(1)[0] ?? 0) / 256;
  return toIssuer(database, { sleep: deps.sleep, now: deps.now, random, provider: spec.id });
}
