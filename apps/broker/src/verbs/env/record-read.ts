import { BrokerError } from "@keyloan/contract";
import type { EnvLine } from "@keyloan/env-generator";
import type { EnvSourceRow, TokenRow } from "@keyloan/store";
import { type By, beforeHandingOut, recordAudit } from "../../audit-row.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { buildNotFound } from "../builds/find-build.ts";
import { refuseWhenUsersAlone } from "../lending/lending-end.ts";
import { consumeSingleUse } from "../tokens/consume-single-use.ts";

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
  by: By,
  buildId: string,
  { lines, own }: EnvRead,
  token: TokenRow | undefined,
): Promise<boolean> {
  const holdsOwn = own.length > 0;
  const details = {
    names: lines.map(({ name }) => name),
    ...(holdsOwn ? { ofUser: own.map(({ connectorId }) => connectorId) } : {}),
  };
  if (!holdsOwn && token?.singleUse !== true) {
    await recordAudit(deps, { ...by, action: "env.read", entity: buildId, details });
    return true;
  }
  let isAllowed = true;
  const record = async (tx: Unit) => {
    const now = deps.now();
    if (holdsOwn) {
      const build = await tx.builds.find(buildId);
      if (build === undefined) throw buildNotFound(buildId);
      refuseWhenUsersAlone(deps.config, build, await tx.bindings.listByBuild(buildId), now);
      const userKeyIds = own.flatMap(({ userKeyId }) => userKeyId ?? []);
      isAllowed = await tx.bindings.countUserRead(buildId, userKeyIds, now);
      if (!isAllowed) throw changedMeanwhile();
    }
    await consumeSingleUse(tx, token, now);
    tx.audit("env.read", buildId, details);
  };
  try {
    await beforeHandingOut(deps, () => deps.change(by, [buildId], record));
  } catch (error) {
    if (isAllowed) throw error;
    return false;
  }
  if (holdsOwn) deps.metrics.userValueReads.inc();
  return true;
}

/** The 409 for a user who changes their mind again and again. */
export function changedMeanwhile(): BrokerError {
  return new BrokerError("not_ready", "the permissions of the build were just changed", {
    remedy: "Try again in a moment.",
    retryAfterSeconds: 1,
  });
}
