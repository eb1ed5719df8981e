import type { Connector, Issuer } from "@keyloan/contract";
import { toIssuer } from "@keyloan/database-provisioner";
import type { Deps } from "./deps.ts";

/** How a connector's leases are issued: its own issuer, or its database in the steps every database has. */
export function issuerOf(deps: Pick<Deps, "sleep" | "now">, connector: Connector): Issuer {
  if (connector.issuer !== undefined) return connector.issuer;
  if (connector.database !== undefined)
    return toIssuer(connector.database, { sleep: deps.sleep, now: deps.now });
  throw new Error(`the connector ${connector.spec.id} issues nothing`);
}
