import { type AcceptedHead, type AuditHead, type AuditProblem, BrokerError } from "@keyloan/contract";
import type { MissingRows } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import {
  type AuditState,
  firstAuditState,
  type ReadState,
  readAuditState,
  sealedAuditState,
} from "../../audit-state.ts";
import type { Deps } from "../../deps.ts";
import type { KnownKeys } from "../../signing.ts";
import { signingKeysMax } from "../../signing-keys.ts";
import { findStandingProblem } from "./audit-standing.ts";
import { judgeHead, type OutsideHead, readStoredHead } from "./judge-head.ts";
import { findShapeProblem, namesOf } from "./problems.ts";
import { removeForeignRows } from "./remove-foreign.ts";
import { signEnd } from "./sign-end.ts";
import { headView } from "./sign-head.ts";

const pageRows = 100;
const attemptsMax = 5;

/**
 * Goes on from the store as it is, after a person saw that it is not what was signed: heads that are not there are
 * given up, refused signing keys and heads of rows that are gone are removed, and the next head tells of the gap. What
 * was lost, and who accepted it, is in the audit and signed.
 * @param signed a head from outside that the store does not hold, when nothing else tells of it
 * @throws BrokerError `conflict` when there is nothing to accept, the head is not this broker's, or the store's file
 * would not keep what is written
 */
export async function acceptHead(deps: Deps, by: By, signed: string | undefined): Promise<AcceptedHead> {
  const given: readonly OutsideHead[] = signed === undefined ? [] : [{ by: "head", signed: signed.trim() }];
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const keys = await deps.signer.readKeys({ rowsMax: Number.POSITIVE_INFINITY });
    const read = await readAuditState(deps);
    const outside = await headsToGiveUp(deps, keys, read?.state, [...deps.outsideHeads.known(), ...given]);
    const problem =
      (await findShapeProblem(deps)) ?? (await findStandingProblem(deps)) ?? outside[0]?.problem;
    if (problem === undefined) throw nothingToAccept();
    if (problem.kind === "shape") throw notAcceptable(problem);
    const proven = await newestProven(deps, keys);
    const removedRows = await removeForeignRows(deps, by, proven?.sequence ?? 0, read !== undefined);
    const { state, lostHeads } = withoutLost(await stateOf(deps, read), proven?.counter ?? 0, outside);
    const before = (await deps.store.read.organizations.find(deps.organizationId))?.auditState ?? null;
    if (before !== (read?.text ?? before)) continue;
    const last = (await deps.store.read.auditEvents.findLast())?.sequence ?? 0;
    const removedKeys = keys.refused.slice(0, signingKeysMax);
    const details = {
      problem,
      lostHeads,
      removedKeys: namesOf(keys.refused),
      removedRows,
      lastRow: last,
    };
    const after = await sealedAuditState(deps, state);
    const accepted = await deps.change(by, [deps.organizationId], async (tx) => {
      if (!(await tx.organizations.setAuditState(deps.organizationId, before, after)))
        return tx.unaudited(undefined);
      await tx.auditHeads.removeOutside(last);
      await tx.auditEvents.removeStray();
      if (removedKeys.length > 0) await tx.signingKeys.keepOnly(deps.organizationId, keys.authentic);
      const missing = await tx.auditEvents.findMissing();
      tx.audit("audit.head_accepted", "audit", { ...details, ...missingView(missing) });
      return missing;
    });
    if (accepted === undefined) continue;
    deps.store.acceptMissing(accepted);
    const head = await signAnew(deps);
    return { problem, head, lostHeads, removedKeys, removedRows, ...missingView(accepted) };
  }
  throw new Error("the audit's state could not be written: other brokers were always first");
}

const missingView = ({ rows, count }: MissingRows) => ({
  missingRows: rows.map(({ sequence }) => sequence),
  missingRowCount: count,
});

/** Signed whatever the head before it is like: that is what was accepted. */
async function signAnew(deps: Deps): Promise<AuditHead> {
  const head = await signEnd(deps);
  if (head === undefined) throw new Error("the audit has no end although a row was written");
  // What was seen of rows that it gives up is no beginning for those that come.
  deps.outsideHeads.noteLinked(head);
  deps.headDelivery.poke();
  return headView(head);
}

type ToGiveUp = {
  readonly problem: AuditProblem;
  readonly head: { readonly sequence: number; readonly hash: string; readonly counter?: number | undefined };
};

async function headsToGiveUp(
  deps: Deps,
  keys: KnownKeys,
  state: AuditState | undefined,
  heads: readonly OutsideHead[],
): Promise<readonly ToGiveUp[]> {
  const found: ToGiveUp[] = [];
  for (const outside of heads) {
    const judged = await judgeHead(deps, keys, state, outside);
    if (judged.kind !== "problem") continue;
    if (judged.head !== undefined) found.push({ problem: judged.problem, head: judged.head });
    // What this process remembers is replaced by the head that it signs next.
    else if (outside.by !== "memory") throw notOurs(judged.problem);
  }
  return found;
}

/** The state as it is kept, or a new one: rows from before it are judged without a MAC then. */
async function stateOf({ store }: Deps, read: ReadState | undefined): Promise<AuditState> {
  if (read !== undefined) return read.state;
  return { ...firstAuditState, macFrom: ((await store.read.auditEvents.findLast())?.sequence ?? 0) + 1 };
}

/** The state in which what the store does not hold is given up. */
function withoutLost(
  state: AuditState,
  after: number,
  outside: readonly ToGiveUp[],
): { state: AuditState; lostHeads: number } {
  const through = Math.max(state.heads, after, ...outside.map(({ head }) => head.counter ?? 0));
  const gap = { after, through };
  const told = outside.map(({ head: { sequence, hash } }) => ({ ...gap, head: { sequence, hash } }));
  const lost = [...state.lost, ...(told.length === 0 && after < through ? [gap] : told)];
  return { state: { ...state, heads: through, lost }, lostHeads: through - after };
}

/** The newest head that this broker signed and whose row stands. */
async function newestProven(
  deps: Deps,
  keys: KnownKeys,
): Promise<{ readonly sequence: number; readonly counter: number } | undefined> {
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await deps.store.read.auditHeads.listBefore(before, pageRows);
    for (const row of page) {
      const head = await readStoredHead(keys, row);
      const event = head && (await deps.store.read.auditEvents.find(head.sequence));
      if (head !== undefined && event !== undefined)
        return { sequence: head.sequence, counter: head.counter ?? 0 };
    }
    const last = page.at(-1);
    if (last === undefined) return undefined;
    before = last.sequence;
  }
}

function nothingToAccept(): BrokerError {
  return new BrokerError("conflict", "the store matches what was signed: there is nothing to accept", {
    remedy: "If a head that you kept has newer records, give it with --head-file.",
  });
}

function notAcceptable({ message }: AuditProblem): BrokerError {
  return new BrokerError("conflict", `the structure of the store's file cannot be accepted (${message})`, {
    remedy:
      "Stop the broker, remove what was added from the store's file (DROP TRIGGER, DROP VIEW), or restore a backup when a table or an index is missing or changed. Start it and run `keyloan audit verify`.",
  });
}

function notOurs({ message }: AuditProblem): BrokerError {
  return new BrokerError("conflict", `a head of another broker cannot be accepted (${message})`, {
    remedy:
      "Set KEYLOAN_AUDIT_SINK (or the head file) to another place, restart, and keep the old one: it may be all that is left of this audit.",
  });
}
