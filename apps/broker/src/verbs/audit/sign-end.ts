import { auditHeadType } from "@keyloan/contract";
import { type AuditHeadRow, isGenuine } from "@keyloan/store";
import { type AuditState, changeAuditState, readAuditState } from "../../audit-state.ts";
import type { Deps } from "../../deps.ts";

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
    if (read === undefined || last === undefined) return undefined;
    if (newest?.sequence === last.sequence) return newest;
    // A head proves all before it, so it goes on no row that a broker did not write.
    const row = await deps.store.read.auditEvents.find(last.sequence);
    if (row === undefined || !isGenuine(row, deps.store.auditSeal())) return undefined;
    const { sequence, hash } = row;
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
