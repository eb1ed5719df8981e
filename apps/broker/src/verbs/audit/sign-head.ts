import { type Actor, type AuditHead, auditHeadType, BrokerError } from "@keyloan/contract";
import type { AuditHeadRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { writeAudit } from "../audit.ts";
import { isoTime } from "../builds/views.ts";

type HeadDeps = Pick<Deps, "store" | "signer" | "logger" | "now">;

/**
 * Signs the end of the audit chain when rows were added since the last time, keeps it in the store and writes it
 * to the log, which whoever changes the store does not reach. `undefined` while there are no rows.
 */
export async function signAuditHead(deps: HeadDeps): Promise<AuditHeadRow | undefined> {
  const newest = await deps.store.read.auditHeads.findLatest();
  const last = await deps.store.read.auditEvents.findLast();
  if (newest !== undefined) await warnUnlessKept(deps, newest);
  if (last === undefined || last.hash === null) return undefined;
  if (newest?.sequence === last.sequence) return newest;
  const { sequence, hash } = last;
  const at = deps.now();
  const signed = await deps.signer.sign(auditHeadType, { sequence, hash, at });
  const head = { sequence, hash, at, signed };
  await deps.store.write((tables) => tables.auditHeads.insert(head));
  deps.logger.info({ sequence, auditHead: signed }, "the audit was signed");
  return head;
}

/** The end of the chain now, signed, for keeping it elsewhere. That it was asked for is in it. */
export async function readAuditHead(deps: Deps, actor: Actor, requestId: string): Promise<AuditHead> {
  await writeAudit(deps, { actor, action: "audit.head_read", entity: "audit", details: {}, requestId });
  const head = await signAuditHead(deps);
  if (head !== undefined) return { ...head, at: isoTime(head.at) };
  throw new BrokerError("unavailable", "the audit has no end that could be signed", {
    remedy: "Restart the broker: it chains what an older version wrote.",
  });
}

async function warnUnlessKept(deps: HeadDeps, head: AuditHeadRow): Promise<void> {
  const row = await deps.store.read.auditEvents.find(head.sequence);
  if (row?.hash === head.hash) return;
  deps.logger.error(
    { sequence: head.sequence },
    "the audit is not what was signed: run `keyloan audit verify`, and compare with heads in older logs",
  );
}
