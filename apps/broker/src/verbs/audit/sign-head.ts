import { type AuditHead, BrokerError } from "@keyloan/contract";
import type { AuditHeadRow } from "@keyloan/store";
import { type By, recordAudit } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { auditDegraded } from "./problems.ts";
import { signEnd } from "./sign-end.ts";
import { watchStanding } from "./watch-standing.ts";

type HeadDeps = Parameters<typeof watchStanding>[0] & Pick<Deps, "headDelivery">;

/**
 * Signs the end of the audit chain when rows were added since the last time, keeps it in the store, writes it to the
 * log and hands it to the sink: neither is reached by who changes the store. `undefined` while there are no rows, and
 * while the store is not what was signed before, so that no second history is signed.
 */
export async function signAuditHead(deps: HeadDeps): Promise<AuditHeadRow | undefined> {
  if ((await watchStanding(deps)) !== undefined) return undefined;
  const head = await signEnd(deps);
  deps.headDelivery.poke();
  return head;
}

/**
 * The end of the chain now, signed, for keeping it elsewhere. That it was asked for is in it.
 * @throws BrokerError `audit_degraded`
 */
export async function readAuditHead(deps: Deps, by: By): Promise<AuditHead> {
  await recordAudit(deps, { ...by, action: "audit.head_read", entity: "audit", details: {} });
  const head = await signAuditHead(deps);
  if (head !== undefined) return headView(head);
  const problem = await watchStanding(deps);
  if (problem !== undefined) throw auditDegraded(problem);
  throw new BrokerError("unavailable", "the audit has no end that can be signed", {
    remedy: "Restart the broker: it adds to the chain what an older version wrote.",
  });
}

/** A head as the API and the sink have it. */
export function headView({ sequence, hash, at, signed }: AuditHeadRow): AuditHead {
  return { sequence, hash, at: isoTime(at), signed };
}
