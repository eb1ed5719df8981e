import { actorLabel, limits, newId, Secret } from "@keyloan/contract";
import type { By } from "../../audit-row.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Deps } from "../../deps.ts";
import { requireSoundAudit } from "../audit/audit-standing.ts";
import { findBuild } from "../builds/find-build.ts";
import { keepAliveUntil } from "../builds/keep-alive.ts";
import { opensForPersonOnly } from "./start-session.ts";

/**
 * A link to the settings page of one build. Its code stands in the fragment, which no browser sends to a
 * server and no proxy logs. A new link ends those that were never opened, and the build is renewed so that it
 * outlives the link.
 * @throws BrokerError `not_found`, `build_closed` or `audit_degraded`
 */
export async function createHandoff(
  deps: Deps,
  by: By,
  buildId: string,
  input: {
    readonly ttlSeconds: number;
    readonly publicUrl: string;
    readonly userRef?: string | undefined;
  },
): Promise<{ readonly url: Secret; readonly expiresAt: number; readonly personOnly: boolean }> {
  const { build } = await findBuild(deps, buildId);
  if (build.state === "closing" || build.state === "closed") throw buildClosed(build.state);
  await requireSoundAudit(deps);
  const { token, hash } = deps.tokens.make("handoff");
  const createdAt = deps.now();
  const wanted = createdAt + input.ttlSeconds * 1000;
  // A link to a build that ends before it is opened, or while it is used, would lose what the user typed.
  const visitMs = limits.sessionLifetimeSecondsMax * 1000;
  const lives = await keepAliveUntil(deps, by, buildId, wanted + visitMs);
  const expiresAt = Math.min(wanted, lives);
  const id = newId("handoff", deps.randomBytes);
  const createdBy = actorLabel(by.actor);
  await deps.change(by, [buildId], async (tx) => {
    await tx.handoffs.expireUnused(buildId, createdAt);
    await tx.handoffs.insert({
      id,
      buildId,
      hash,
      userRef: input.userRef ?? null,
      createdBy,
      createdAt,
      expiresAt,
      usedAt: null,
      refusedAt: null,
    });
    tx.audit("handoff.created", buildId, { handoffId: id, expiresAt });
  });
  return {
    url: Secret.of(`${input.publicUrl}/settings#code=${token.reveal()}`),
    expiresAt,
    personOnly: opensForPersonOnly(build),
  };
}
