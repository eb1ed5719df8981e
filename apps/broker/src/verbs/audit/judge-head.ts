import {
  type AuditAnchor,
  type AuditHeadPayload,
  type AuditProblem,
  type AuditProblemKind,
  auditHeadPayloadSchema,
  auditHeadType,
} from "@keyloan/contract";
import type { AuditHeadRow } from "@keyloan/store";
import type { AuditState } from "../../audit-state.ts";
import type { Deps } from "../../deps.ts";
import type { KnownKeys } from "../../signing.ts";
import { auditProblem } from "./problems.ts";

/** A head from outside the store, as text, and where it was kept: in the memory of this process, too. */
export type OutsideHead = { readonly by: AuditAnchor["by"] | "memory"; readonly signed: string };

/** What a head from outside says of the store. */
export type Judgement =
  | { readonly kind: "anchor"; readonly head: AuditHeadPayload }
  | { readonly kind: "given_up"; readonly head: AuditHeadPayload }
  | { readonly kind: "problem"; readonly problem: AuditProblem; readonly head?: AuditHeadPayload };

/** What a signed head says; `undefined` when this broker did not sign it as a head. */
export async function readHead(keys: KnownKeys, jws: string): Promise<AuditHeadPayload | undefined> {
  const signed = await keys.verify(jws);
  if (signed?.type !== auditHeadType) return undefined;
  return auditHeadPayloadSchema.safeParse(signed.payload).data;
}

/** The same of a row of the store, whose columns must say it too. */
export async function readStoredHead(
  keys: KnownKeys,
  row: AuditHeadRow,
): Promise<AuditHeadPayload | undefined> {
  const head = await readHead(keys, row.signed);
  const { sequence, hash, at } = row;
  return head?.sequence === sequence && head.hash === hash && head.at === at ? head : undefined;
}

const foreign = {
  head: "the given head was not signed by this broker: it belongs to another one, or the store was replaced",
  head_file:
    "the head file was not signed by this broker: it belongs to another one, or the store was replaced",
  memory: "a head that this broker signed has lost its signing key: the store was replaced",
  sink: "the sink holds heads that this broker did not sign: they belong to another one, or the store was replaced",
} as const;

/** Whether the store holds what a head from outside proves. */
export async function judgeHead(
  deps: Pick<Deps, "store">,
  keys: KnownKeys,
  state: AuditState | undefined,
  { by, signed }: OutsideHead,
): Promise<Judgement> {
  const head = await readHead(keys, signed);
  if (head === undefined)
    return { kind: "problem", problem: { kind: "signature", sequence: 0, message: foreign[by] } };
  if (state !== undefined && isGivenUp(state, head)) return { kind: "given_up", head };
  const row = await deps.store.read.auditEvents.find(head.sequence);
  const last = (await deps.store.read.auditEvents.findLast())?.sequence ?? 0;
  // By the count also when new rows have come to stand where those were that it proves.
  const isLater = head.sequence > last || (state !== undefined && (head.counter ?? 0) > state.heads);
  const problem = (kind: AuditProblemKind, sequence: number): Judgement => ({
    kind: "problem",
    head,
    problem: auditProblem(kind, sequence, isLater ? putBack(by) : undefined),
  });
  const isHeld = row?.hash === head.hash;
  if (isLater) return problem(isHeld ? "heads_missing" : "removed", Math.min(head.sequence, last + 1));
  if (!isHeld) return problem(row === undefined ? "removed" : "head_mismatch", head.sequence);
  return { kind: "anchor", head };
}

const places = {
  head: "the kept head",
  head_file: "the head file",
  sink: "the sink",
  memory: "this process",
};

const putBack = (by: OutsideHead["by"]) =>
  `${places[by]} has a later end, so the store was replaced by an older copy or its end was cut off`;

function isGivenUp({ lost }: AuditState, { counter, sequence, hash }: AuditHeadPayload): boolean {
  return lost.some(
    ({ after, through, head }) =>
      (counter !== undefined && counter > after && counter <= through) ||
      (head?.sequence === sequence && head.hash === hash),
  );
}
