import { type IssuedToken, newId, type PlatformScope, type Secret } from "@keyloan/contract";
import type { Tables, TokenRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { requireSoundAudit } from "../audit/audit-standing.ts";
import { buildNotFound } from "../builds/find-build.ts";
import { refuseWhenUsersAlone } from "../lending/lending-end.ts";

/** A new token as the API answers it; `token` is a Secret until the answer is written. */
export type NewToken = Omit<IssuedToken, "token"> & { readonly token: Secret };

/**
 * A token for one build's env, for `ttlSeconds` from now.
 * @throws BrokerError `not_found`, `build_closed` or `audit_degraded`
 */
export async function createBuildToken(
  deps: Deps,
  by: By,
  buildId: string,
  input: { readonly ttlSeconds: number; readonly singleUse: boolean },
): Promise<NewToken> {
  await requireSoundAudit(deps);
  const expiresAt = deps.now() + input.ttlSeconds * 1000;
  const { row, token } = newTokenRow(deps, {
    kind: "build",
    name: "build token",
    buildId,
    expiresAt,
    ...input,
  });
  const details = { tokenId: row.id, expiresAt, singleUse: input.singleUse };
  await deps.change(by, [buildId], async (tx) => {
    // With this write: what ends a build's tokens at this moment would miss one that is made after it.
    await refuseWhenOver(deps, tx, buildId);
    await tx.tokens.insert(row);
    tx.audit("token.created", buildId, details);
  });
  return { id: row.id, token, expiresAt: isoTime(expiresAt) };
}

async function refuseWhenOver(deps: Deps, tables: Tables, buildId: string): Promise<void> {
  const build = await tables.builds.find(buildId);
  if (build === undefined) throw buildNotFound(buildId);
  refuseWhenUsersAlone(deps.config, build, await tables.bindings.listByBuild(buildId), deps.now());
}

/**
 * A platform's API token with the given scopes, without an end unless one is asked for.
 * @throws BrokerError `audit_degraded`
 */
export async function createApiToken(
  deps: Deps,
  by: By,
  input: {
    readonly name: string;
    readonly scopes: readonly PlatformScope[];
    readonly ttlSeconds?: number | undefined;
  },
): Promise<NewToken> {
  await requireSoundAudit(deps);
  const expiresAt = input.ttlSeconds === undefined ? null : deps.now() + input.ttlSeconds * 1000;
  const { row, token } = newTokenRow(deps, {
    kind: "api",
    ...input,
    buildId: null,
    singleUse: false,
    expiresAt,
  });
  const details = { name: input.name, scopes: input.scopes, expiresAt };
  await deps.change(by, [], async (tx) => {
    await tx.tokens.insert(row);
    tx.audit("token.created", row.id, details);
  });
  return { id: row.id, token, ...(expiresAt === null ? {} : { expiresAt: isoTime(expiresAt) }) };
}

function newTokenRow(
  deps: Deps,
  input: {
    readonly kind: "api" | "build";
    readonly name: string;
    readonly scopes?: readonly PlatformScope[];
    readonly buildId: string | null;
    readonly singleUse: boolean;
    readonly expiresAt: number | null;
  },
): { row: TokenRow; token: Secret } {
  const { token, hash } = deps.tokens.make(input.kind);
  const row: TokenRow = {
    id: newId("token", deps.randomBytes),
    kind: input.kind,
    hash,
    name: input.name,
    scopes: input.scopes ?? [],
    buildId: input.buildId,
    singleUse: input.singleUse,
    createdAt: deps.now(),
    expiresAt: input.expiresAt,
    usedAt: null,
    revokedAt: null,
  };
  return { row, token };
}
