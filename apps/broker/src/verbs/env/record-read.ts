import { type Actor, BrokerError } from "@keyloan/contract";
import type { EnvLine } from "@keyloan/env-generator";
import type { EnvSourceRow, Tables, TokenRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { writeAudit } from "../audit.ts";
import { buildNotFound } from "../builds/find-build.ts";
import { refuseWhenUsersAlone } from "../lending/lending-end.ts";
import { consumeSingleUse } from "../tokens/consume-single-use.ts";

export type EnvRequest = { readonly requestId: string; readonly token: TokenRow | undefined };

export type EnvRead = {
  readonly lines: readonly EnvLine[];
  /** Bindings whose user's own values are in the lines. */
  readonly own: readonly Pick<EnvSourceRow, "connectorId" | "userKeyId">[];
};

/**
 * Writes that an env is answered, and with it how often the user's own values were. An answer without any takes the
 * quick path of an audit row alone.
 * @returns false, with nothing written, when the user took values that are in it back from the build meanwhile
 * @throws BrokerError `build_closed` when nobody but the user has a right to them by now, `unauthenticated` for a
 * single-use token that was used meanwhile, `unavailable` without audit
 */
export async function recordRead(
  deps: Deps,
  actor: Actor,
  buildId: string,
  { lines, own }: EnvRead,
  { requestId, token }: EnvRequest,
): Promise<boolean> {
  const holdsOwn = own.length > 0;
  const details = {
    names: lines.map(({ name }) => name),
    ...(holdsOwn ? { ofUser: own.map(({ connectorId }) => connectorId) } : {}),
  };
  const entry = { actor, action: "env.read", entity: buildId, details, requestId };
  if (!holdsOwn && token?.singleUse !== true) {
    await writeAudit(deps, entry);
    return true;
  }
  let isAllowed = true;
  const along = async (tables: Tables) => {
    const now = deps.now();
    if (holdsOwn) {
      const build = await tables.builds.find(buildId);
      if (build === undefined) throw buildNotFound(buildId);
      refuseWhenUsersAlone(deps.config, build, await tables.bindings.listByBuild(buildId), now);
      const userKeyIds = own.flatMap(({ userKeyId }) => userKeyId ?? []);
      isAllowed = await tables.bindings.countUserRead(buildId, userKeyIds, now);
      if (!isAllowed) throw changedMeanwhile();
    }
    await consumeSingleUse(tables, token, now);
  };
  try {
    await writeAudit(deps, entry, along);
  } catch (error) {
    if (isAllowed) throw error;
    return false;
  }
  if (holdsOwn) deps.metrics.userValueReads.inc();
  return true;
}

/** The 409 for a user who changes their mind again and again. */
export function changedMeanwhile(): BrokerError {
  return new BrokerError("not_ready", "what the build may use was changed at this moment", {
    remedy: "Try again in a moment.",
    retryAfterSeconds: 1,
  });
}
