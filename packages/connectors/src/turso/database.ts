import { type ConnectorContext, type DatabaseDriver, ProviderError, secretValues } from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { toHttpAddress } from "../kit/libsql/address.ts";
import { runChecks } from "../kit/libsql/run-checks.ts";
import { unlessGone } from "../kit/named-resource.ts";
import { databaseUrlScheme, openTursoApi } from "./client.ts";
import { tursoContent } from "./content.ts";
import { tursoControl } from "./control.ts";
import { databaseNames } from "./database-name.ts";
import { listOurs } from "./list-ours.ts";
import { toExpiration } from "./token-expiration.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

const probeTimeoutMs = 5_000;

/** One Turso database per lease, with a token for it alone that ends with the lease. */
export const tursoDatabase: DatabaseDriver = {
  plan: ({ leaseId }) => databaseNames.plan(leaseId),

  create: async (context, org, lease) => {
    const api = openTursoApi(context, org.fields);
    const name = databaseNames.of(lease.handle);
    try {
      return { hostname: (await api.createDatabase(name)).hostname };
    } catch (error) {
      if (!(error instanceof ProviderError && error.code === "conflict")) throw error;
    }
    // A planned name holds 100 random bits: whoever has it made it for this lease, in this group.
    const found = await api.getDatabase(name);
    if (found.group === requireField(org.fields, "group")) return { hostname: found.hostname };
    throw new ProviderError("turso", "conflict", "has a database with this name in another group", {
      status: 409,
    });
  },

  access: async (context, org, lease, location) => {
    const api = openTursoApi(context, org.fields);
    const expiration = toExpiration(lease.expiresAt, context.now());
    return secretValues({
      TURSO_DATABASE_URL: `${databaseUrlScheme(context)}://${location.hostname}`,
      TURSO_AUTH_TOKEN: await api.mintToken(databaseNames.of(lease.handle), expiration),
    });
  },

  ready: async (context, values) => {
    const address = toHttpAddress(requireField(values, "TURSO_DATABASE_URL"));
    if (address === undefined) return false;
    return answersSelectOne(context, address, requireField(values, "TURSO_AUTH_TOKEN"));
  },

  locate: async (context, org, lease) => {
    const { hostname } = await openTursoApi(context, org.fields).getDatabase(databaseNames.of(lease.handle));
    return { hostname };
  },

  drop: async (context, org, lease) => {
    const api = openTursoApi(context, org.fields);
    const name = databaseNames.of(lease.handle);
    // Both cut access even when deleting then fails: rotation ends tokens, the block what is still
    // connected. Deleting does more than either, so it alone decides.
    await Promise.allSettled([api.blockDatabase(name), api.rotateTokens(name)]);
    await unlessGone(api.deleteDatabase(name));
    if ((await unlessGone(api.getDatabase(name))) !== "gone") {
      throw new ProviderError("turso", "unavailable", "still lists a database that it has deleted");
    }
  },

  rotate: async (context, org, lease) => {
    // A lease that has ended gets no new token, so its old one is left to its own end.
    toExpiration(lease.expiresAt, context.now());
    await openTursoApi(context, org.fields).rotateTokens(databaseNames.of(lease.handle));
    const values = await tursoDatabase.access(
      context,
      org,
      lease,
      await tursoDatabase.locate(context, org, lease),
    );
    await waitUntilReady(context, () => tursoDatabase.ready(context, values));
    return values;
  },

  list: listOurs,

  control: tursoControl,

  content: tursoContent,
};

async function answersSelectOne(context: ConnectorContext, address: string, token: string): Promise<boolean> {
  try {
    const database = { provider: "turso", context, address, token };
    const first = (await runChecks(database, ["SELECT 1"], probeTimeoutMs)).results?.[0];
    return first?.ok === true && first.cell === 1;
  } catch (error) {
    // A database that does not answer is not ready yet; a caller who gave up wants to know.
    if (error instanceof ProviderError && !context.signal.aborted) return false;
    throw error;
  }
}
