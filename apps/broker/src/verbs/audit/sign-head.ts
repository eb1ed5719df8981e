import { type Actor, type AuditHead, auditHeadType, BrokerError } from "@keyloan/contract";
import type { AuditHeadRow } from "@keyloan/store";
import { type AuditState, changeAuditState, readAuditState } from "../../audit-state.ts";
import type { Deps } from "../../deps.ts";
import { writeAudit } from "../audit.ts";
import { isoTime } from "../builds/views.ts";
import { auditDegraded } from "./problems.ts";
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
export async function readAuditHead(deps: Deps, actor: Actor, requestId: string): Promise<AuditHead> {
  await writeAudit(deps, { actor, action: "audit.head_read", entity: "audit", details: {}, requestId });
  const head = await signAuditHead(deps);
  if (head !== undefined) return headView(head);
  const problem = await watchStanding(deps);
  if (problem !== undefined) throw auditDegraded(problem);
  throw new BrokerError("unavailable", "the audit has no end that could be signed", {
    remedy: "Restart the broker: it chains what an older version wrote.",
  });
}

/** A head as the API and the sink have it. */
export function headView({ sequence, hash, at, signed }: AuditHeadRow): AuditHead {
  return { sequence, hash, at: isoTime(at), signed };
}

const attemptsMax = 10;

/** Signs the end, whatever stands before it. */
export async function signEnd(
  deps: Pick<Deps, "store" | "keyring" | "organizationId" | "signer" | "outsideHeads" | "logger" | "now">,
): Promise<AuditHeadRow | undefined> {
  // Each attempt that fails is a head that another broker signed meanwhile.
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const read = await readAuditState(deps);
    const newest = await deps.store.read.auditHeads.findLatest();
    const last = await deps.store.read.auditEvents.findLast();
    if (read === undefined || last === undefined || last.hash === null) return undefined;
    if (newest?.sequence === last.sequence) return newest;
    const { sequence, hash } = last;
    const at = deps.now();
    const counter = read.state.heads + 1;
    const payload = { sequence, hash, at, counter, ...gapBefore(read.state) };
    const head = { sequence, hash, at, signed: await deps.signer.sign(auditHeadType, payload) };
    const state = { ...read.state, heads: counter };
    if (await changeAuditState(deps, read.text, state, (tables) => tables.auditHeads.insert(head))) {
      // Until this process ends it knows what it signed, though an older copy is put back under it.
      deps.outsideHeads.note({ by: "memory", signed: head.signed });
      deps.logger.info({ sequence, counter, auditHead: head.signed }, "the audit was signed");
      return head;
    }
  }
  throw new Error("the audit's end could not be signed: other brokers were always first");
}

function gapBefore({ heads, lost }: AuditState): { readonly after?: number } {
  const gap = lost.findLast(({ through, after }) => through === heads && after < heads);
  return gap === undefined ? {} : { after: gap.after };
}
