import { type Actor, BrokerError, type EnvProfile, type SecretValues } from "@keyloan/contract";
import { type ConnectorValues, copySets, type EnvLine, toEnvLines } from "@keyloan/env-generator";
import type { EnvSourceRow, TokenRow } from "@keyloan/store";
import { closeDataKey, type DataKeyRecord, openDataKey } from "@keyloan/vault";
import type { Deps } from "../../deps.ts";
import { auditRow, writeAudit } from "../audit.ts";
import { buildClosed, buildNotFound } from "../builds/find-build.ts";
import { profileOf } from "../builds/views.ts";
import { databaseArchived } from "../databases/request-archive.ts";
import { openLease } from "../leases/lease-secrets.ts";
import { openUserKey } from "../settings/open-values.ts";
import { consumeSingleUse } from "../tokens/consume-single-use.ts";

export type ReadEnvInput = {
  readonly buildId: string;
  readonly profile: EnvProfile | undefined;
  readonly copies: readonly string[];
};

/**
 * The whole env of a build, as lines ready to be written in a format. The audit row, with names only, is on
 * disk before this returns.
 * @throws BrokerError `not_found`, `build_closed`, `not_ready` with what is missing, `database_archived`,
 * `unavailable` without audit
 */
export async function readEnv(
  deps: Deps,
  actor: Actor,
  input: ReadEnvInput,
  request: { readonly requestId: string; readonly token: TokenRow | undefined },
): Promise<readonly EnvLine[]> {
  const lines = await envLinesOf(deps, input);
  await recordRead(deps, actor, input.buildId, lines, request);
  return lines;
}

/**
 * The lines of a build's env. Whoever hands them out audits it.
 * @throws BrokerError as {@link readEnv} does
 */
export async function envLinesOf(deps: Deps, input: ReadEnvInput): Promise<readonly EnvLine[]> {
  checkCopySets(deps, input.copies);
  const rows = await deps.store.read.bindings.envSources(input.buildId);
  const first = rows[0];
  if (first === undefined) throw buildNotFound(input.buildId);
  const { build, dataKey } = first;
  if (["handed_off", "closing", "closed"].includes(build.state)) throw buildClosed(build.state);
  const missing = rows.flatMap((row) => missingReason(row, deps.now()));
  const archived = missing.find(({ state }) => state === "archived");
  if (archived !== undefined) throw databaseArchived(input.buildId, archived.connector);
  if (missing.length > 0 || dataKey === null) throw notReady(build.state, missing);
  return toEnvLines(openSources(deps, rows, dataKey), {
    profile: input.profile ?? profileOf(build.profile),
    copies: input.copies,
  });
}

function openSources(deps: Deps, rows: readonly EnvSourceRow[], dataKey: DataKeyRecord): ConnectorValues[] {
  const key = openDataKey(deps.keyring, dataKey);
  const opened = new Map<string, SecretValues>();
  try {
    for (const { connectorId, source, userKeyId, userEnv, leaseId, env } of rows) {
      if (source === "user" && userKeyId !== null && userEnv !== null) {
        opened.set(connectorId, openUserKey(key, userKeyId, userEnv));
      } else if (source === "org" && leaseId !== null && env !== null) {
        opened.set(connectorId, openLease(key, dataKey.ownerId, leaseId, env));
      }
    }
  } finally {
    closeDataKey(key);
  }
  const sources: ConnectorValues[] = [];
  for (const [id, connector] of deps.connectors) {
    const values = opened.get(id);
    if (values !== undefined) sources.push({ spec: connector.spec, values });
  }
  return sources;
}

async function recordRead(
  deps: Deps,
  actor: Actor,
  buildId: string,
  lines: readonly EnvLine[],
  { requestId, token }: { readonly requestId: string; readonly token: TokenRow | undefined },
): Promise<void> {
  const entry = {
    actor,
    action: "env.read",
    entity: buildId,
    details: { names: lines.map(({ name }) => name) },
    requestId,
  };
  if (token?.singleUse !== true) return writeAudit(deps, entry);
  await deps.store.write(async (tables) => {
    await consumeSingleUse(tables, token, deps.now());
    await tables.auditEvents.insertAll([auditRow(deps, entry)]);
  });
}

function checkCopySets(deps: Deps, copies: readonly string[]): void {
  if (copies.length === 0) return;
  const known = copySets([...deps.connectors.values()].map(({ spec }) => spec));
  const unknown = copies.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new BrokerError("invalid_input", `there is no set of copies named ${unknown}`, {
    remedy: `Use: ${known.join(", ")}.`,
  });
}

type Missing = { readonly connector: string; readonly state: string };

function missingReason(row: EnvSourceRow, now: number): Missing[] {
  if (row.source === "user") {
    return row.userEnv === null ? [{ connector: row.connectorId, state: "absent" }] : [];
  }
  if (row.leaseState !== "active" || row.env === null) {
    return [{ connector: row.connectorId, state: stateOf(row) }];
  }
  return (row.leaseExpiresAt ?? 0) <= now ? [{ connector: row.connectorId, state: "expired" }] : [];
}

/** The build lives, so what is ended was revoked alone. */
function stateOf({ leaseState }: EnvSourceRow): string {
  return leaseState === "releasing" || leaseState === "released" ? "revoked" : (leaseState ?? "absent");
}

function notReady(state: string, missing: readonly Missing[]): BrokerError {
  const has = (wanted: string) => missing.some((entry) => entry.state === wanted);
  const list = missing.map(({ connector, state: leaseState }) => `${connector} is ${leaseState}`).join(", ");
  return new BrokerError("not_ready", `the env is not complete: ${list}`, {
    remedy: has("revoked")
      ? "What was revoked does not come back: create a new build."
      : has("expired")
        ? "Renew the build with `keyloan build renew`."
        : "Try again in a moment; `keyloan build show` tells why a connector is not ready.",
    details: { state, missing },
    ...(has("revoked") || has("expired") ? {} : { retryAfterSeconds: 2 }),
  });
}
