import { type AuditAnchor, type AuditProblem, type AuditVerification, BrokerError } from "@keyloan/contract";
import { type AuditEventRow, createChainCheck, StoreError } from "@keyloan/store";
import { type By, recordAudit } from "../../audit-row.ts";
import { type AuditState, readAuditState } from "../../audit-state.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import type { KnownKeys } from "../../signing.ts";
import { findStandingProblem } from "./audit-standing.ts";
import { findMissing, findTailProblem, missingProblem } from "./audit-tail.ts";
import { createHeadCheck } from "./head-check.ts";
import { judgeHead, type OutsideHead, readStoredHead } from "./judge-head.ts";
import { auditProblem, findKeyProblem, findShapeProblem } from "./problems.ts";

const pageRows = 100;

/**
 * Checks what the store's file is built of, follows the whole chain and compares it with every signed head, with the count of heads that is kept sealed, and
 * with what is known outside the store: a head that was sent, the head file, the sink. Only a page of rows is in
 * memory, and other requests go on between pages.
 */
export async function verifyAudit(
  deps: Deps,
  by: By,
  given: string | undefined,
  signal: AbortSignal,
): Promise<AuditVerification> {
  // What is outside first, then the count, heads and rows: each was written before what is read ahead of it.
  const { outside, warnings } = await readOutside(deps, given);
  const standing = await findStandingProblem(deps);
  const keys = await deps.signer.readKeys();
  const state = (await readAuditState(deps))?.state;
  const newestHead = (await deps.store.read.auditHeads.findLatest())?.sequence ?? 0;
  const lastSequence = (await deps.store.read.auditEvents.findLast())?.sequence ?? 0;
  const chain = await followChain(deps, { keys, state, lastSequence, newestHead, signal });
  const anchors: AuditAnchor[] = [];
  const problems = [...(await problemsOfFile(deps)), ...chain.problems];
  let remembered: AuditProblem | undefined;
  for (const { by, signed } of outside) {
    const judged = await judgeHead(deps, keys, state, { by, signed });
    // What this process remembers proves nothing to others, and what the store tells itself is more exact.
    if (by === "memory") remembered = judged.kind === "problem" ? judged.problem : undefined;
    else if (judged.kind === "problem") problems.push(judged.problem);
    else if (judged.kind === "given_up") warnings.push(`${by}: its head was given up with accept-head`);
    else anchors.push({ by, sequence: judged.head.sequence, at: isoTime(judged.head.at) });
  }
  if (standing?.kind === "head_overdue") problems.push(standing);
  const tail = await findTailProblem(deps, await deps.store.read.auditHeads.findLatest());
  if (tail !== undefined) problems.push(tail);
  const missing = await findMissing(deps);
  const missed = missingProblem(missing);
  if (missed !== undefined) {
    problems.push(missed);
    const numbers = missing.rows.map(({ sequence }) => sequence).join(", ");
    warnings.push(`memory: ${missing.count} of the rows that this broker wrote are gone (${numbers})`);
  }
  const keyProblem = findKeyProblem(keys);
  if (keyProblem !== undefined) problems.push(keyProblem);
  const countNow = (await readAuditState(deps))?.state.heads;
  if (countNow === undefined || countNow < chain.counter) problems.push(auditProblem("count", 0));
  const problem = problems.toSorted((a, b) => a.sequence - b.sequence)[0] ?? remembered;
  const { rows, heads, givenUp } = chain;
  const found = { rows, heads, lastSequence, givenUp, warnings };
  const result = verdictOf(found, anchors, problem);
  const details = {
    verdict: result.verdict,
    rows,
    heads,
    lastSequence,
    ...(problem === undefined ? { anchors } : { problem }),
  };
  await recordAudit(deps, { ...by, action: "audit.verified", entity: "audit", details });
  if (problem !== undefined) deps.logger.error({ ...problem }, "the audit differs from what was written");
  return result;
}

type Found = Pick<AuditVerification, "rows" | "heads" | "lastSequence" | "givenUp" | "warnings">;

function verdictOf(
  found: Found,
  anchors: readonly AuditAnchor[],
  problem: AuditProblem | undefined,
): AuditVerification {
  if (problem !== undefined) return { verdict: "broken", ...found, problem };
  if (anchors.length === 0) return { verdict: "self_consistent", ...found };
  const through = Math.max(...anchors.map(({ sequence }) => sequence));
  return { verdict: "anchored", ...found, anchors, through };
}

async function readOutside(
  deps: Deps,
  given: string | undefined,
): Promise<{ outside: OutsideHead[]; warnings: string[] }> {
  const sink = await deps.headDelivery.readSink();
  const warnings: string[] = [];
  if (sink?.kind === "failed") warnings.push(`sink: it cannot be read (${sink.failure})`);
  if (sink?.kind === "none")
    warnings.push(
      `sink: ${sink.isEmpty ? "it contains no head, or returns none" : "no signed head is at its end"}`,
    );
  // What this process delivered it cannot prove by itself: only what the sink gives back counts.
  const outside = deps.outsideHeads.known().filter(({ by }) => by !== "sink");
  if (sink?.kind === "head" || sink?.kind === "foreign") outside.push({ by: "sink", signed: sink.signed });
  if (given !== undefined) outside.push({ by: "head", signed: given.trim() });
  return { outside, warnings };
}

/** What makes reads and writes other than they look: a trigger, a view, rows before the first, a false index. */
async function problemsOfFile(deps: Deps): Promise<readonly AuditProblem[]> {
  const shape = await findShapeProblem(deps);
  const problems = shape === undefined ? [] : [shape];
  if (await deps.store.read.auditEvents.hasStray()) problems.push(auditProblem("out_of_chain", 0));
  try {
    await deps.store.checkIntegrity();
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "corrupt")) throw error;
    problems.push(auditProblem("shape", 0, "it is damaged, or an index does not match its table"));
  }
  return problems;
}

type Way = {
  readonly keys: KnownKeys;
  readonly state: AuditState | undefined;
  readonly lastSequence: number;
  readonly newestHead: number;
  readonly signal: AbortSignal;
};

async function followChain(deps: Deps, { keys, state, lastSequence, newestHead, signal }: Way) {
  const { auditEvents, auditHeads } = deps.store.read;
  const chain = createChainCheck(deps.store.auditSeal());
  const heads = createHeadCheck(lastSequence);
  let rows = 0;
  let after = 0;
  const checkHeads = async (through: number, page: readonly AuditEventRow[]) => {
    const hashes = new Map(page.map(({ sequence, hash }) => [sequence, hash]));
    for (let from = after; ; ) {
      const some = await auditHeads.listBetween(from, Math.min(through, newestHead), pageRows);
      for (const row of some) heads.add(row, await readStoredHead(keys, row), hashes.get(row.sequence));
      const last = some.at(-1);
      if (last === undefined) return;
      from = last.sequence;
    }
  };
  while (after < lastSequence) {
    if (signal.aborted) throw givenUp();
    const page = (await auditEvents.pageAfter(after, pageRows)).filter(
      ({ sequence }) => sequence <= lastSequence,
    );
    const last = page.at(-1);
    if (last === undefined) break;
    chain.add(page);
    await checkHeads(last.sequence, page);
    rows += page.length;
    after = last.sequence;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await checkHeads(newestHead, []);
  const found = heads.end(state);
  const broken = chain.problem();
  if (broken === undefined) return { rows, ...found };
  const problem = auditProblem(broken.kind, broken.sequence);
  // The chain tells better what became of a row that a head misses.
  return { rows, ...found, problems: [problem, ...found.problems.filter(({ kind }) => kind !== "removed")] };
}

function givenUp(): BrokerError {
  return new BrokerError("unavailable", "the request was cancelled before the whole audit was read", {
    remedy: "Send it again and wait for the answer.",
  });
}
