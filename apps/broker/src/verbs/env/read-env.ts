import { BrokerError, type EnvProfile, type SecretValues } from "@keyloan/contract";
import { type ConnectorValues, copySets, type EnvLine, toEnvLines } from "@keyloan/env-generator";
import type { EnvSourceRow, TokenRow } from "@keyloan/store";
import type { DataKeyRecord } from "@keyloan/vault";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { withOpenKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { openUserKey } from "../../sealing/user-keys.ts";
import { buildNotFound } from "../builds/find-build.ts";
import { profileOf } from "../builds/views.ts";
import { databaseArchived } from "../databases/request-archive.ts";
import { refuseWhenUsersAlone } from "../lending/lending-end.ts";
import { previewUsesOwn } from "../settings/preview-answers.ts";
import { missingReason, notReady } from "./missing.ts";
import { changedMeanwhile, type EnvRead, recordRead } from "./record-read.ts";

export type ReadEnvInput = {
  readonly buildId: string;
  readonly profile: EnvProfile | undefined;
  readonly copies: readonly string[];
};

/** Reads of one request, when the user changes what the build may have at that very moment. */
const readsMax = 3;

/**
 * The whole env of a build, as lines ready to be written in a format. The user's own values are in it where they
 * let the build have them. The audit row, with names only, is on disk before this returns.
 * @throws BrokerError `not_found`, `build_closed`, `not_ready` with what is missing, `database_archived`,
 * `unavailable` without audit
 */
export async function readEnv(
  deps: Deps,
  by: By,
  input: ReadEnvInput,
  token: TokenRow | undefined,
): Promise<readonly EnvLine[]> {
  for (let read = 1; ; read++) {
    const env = await openEnv(deps, input);
    if (await recordRead(deps, by, input.buildId, env, token)) return env.lines;
    if (read === readsMax) throw changedMeanwhile();
  }
}

/**
 * The lines of a build's env. Whoever hands them out audits it.
 * @throws BrokerError as {@link readEnv} does
 */
export async function envLinesOf(deps: Deps, input: ReadEnvInput): Promise<readonly EnvLine[]> {
  return (await openEnv(deps, input)).lines;
}

async function openEnv(deps: Deps, input: ReadEnvInput): Promise<EnvRead> {
  checkCopySets(deps, input.copies);
  const rows = await deps.store.read.bindings.envSources(input.buildId);
  const first = rows[0];
  if (first === undefined) throw buildNotFound(input.buildId);
  const { build, dataKey } = first;
  refuseWhenUsersAlone(deps.config, build, rows, deps.now());
  const missing = rows.flatMap((row) => missingReason(row, deps.now()));
  const archived = missing.find(({ state }) => state === "archived");
  if (archived !== undefined) throw databaseArchived(input.buildId, archived.connector);
  if (missing.length > 0 || dataKey === null) throw notReady(build.state, missing);
  const lines = toEnvLines(openSources(deps, rows, dataKey), {
    profile: input.profile ?? profileOf(build.profile),
    copies: input.copies,
  });
  return { lines, own: rows.filter(previewUsesOwn) };
}

function openSources(deps: Deps, rows: readonly EnvSourceRow[], dataKey: DataKeyRecord): ConnectorValues[] {
  const opened = new Map<string, SecretValues>();
  withOpenKey(deps, dataKey, (key) => {
    for (const row of rows) {
      const { connectorId, userKeyId, userEnv, leaseId, env } = row;
      if (previewUsesOwn(row)) {
        if (userKeyId !== null && userEnv !== null)
          opened.set(connectorId, openUserKey(key, userKeyId, userEnv));
      } else if (leaseId !== null && env !== null) {
        opened.set(connectorId, openLease(key, leaseId, env));
      }
    }
  });
  const sources: ConnectorValues[] = [];
  for (const [id, connector] of deps.connectors) {
    const values = opened.get(id);
    if (values !== undefined) sources.push({ spec: connector.spec, values });
  }
  return sources;
}

function checkCopySets(deps: Deps, copies: readonly string[]): void {
  if (copies.length === 0) return;
  const known = copySets([...deps.connectors.values()].map(({ spec }) => spec));
  const unknown = copies.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new BrokerError("invalid_input", `there is no copy set named ${unknown}`, {
    remedy: `Use: ${known.join(", ")}.`,
  });
}
