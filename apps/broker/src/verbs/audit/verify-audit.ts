import {
  type Actor,
  type AuditProblemKind,
  type AuditVerification,
  auditHeadPayloadSchema,
  auditHeadType,
  BrokerError,
} from "@keyloan/contract";
import { type AuditEventRow, type AuditHeadRow, createChainCheck } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { writeAudit } from "../audit.ts";

const pageRows = 500;

type Problem = { readonly sequence: number; readonly kind: AuditProblemKind };

/**
 * Follows the whole chain and compares it with every signed head, and with one that was kept elsewhere. Only a
 * page of rows is in memory, and other requests go on between pages.
 */
export async function verifyAudit(
  deps: Deps,
  actor: Actor,
  outsideHead: string | undefined,
  request: { readonly requestId: string; readonly signal: AbortSignal },
): Promise<AuditVerification> {
  // Heads first: each was signed after its row was written, so a head without its row has lost it.
  const newestHead = (await deps.store.read.auditHeads.findLatest())?.sequence ?? 0;
  const lastSequence = (await deps.store.read.auditEvents.findLast())?.sequence ?? 0;
  const found = await followChain(deps, lastSequence, newestHead, request.signal);
  if (outsideHead !== undefined)
    found.problems.push(...(await checkOutside(deps, outsideHead, lastSequence)));
  const first = found.problems.toSorted((a, b) => a.sequence - b.sequence)[0];
  const { rows, heads } = found;
  const details = { rows, heads, lastSequence, ...(first === undefined ? {} : { problem: first }) };
  const { requestId } = request;
  await writeAudit(deps, { actor, action: "audit.verified", entity: "audit", details, requestId });
  if (first !== undefined) deps.logger.error({ ...first }, "the audit is not what was written");
  return {
    ok: first === undefined,
    rows,
    heads,
    lastSequence,
    ...(first === undefined ? {} : { firstProblem: { ...first, message: messages[first.kind] } }),
  };
}

async function followChain(deps: Deps, lastSequence: number, newestHead: number, signal: AbortSignal) {
  const { auditEvents, auditHeads } = deps.store.read;
  const chain = createChainCheck();
  const problems: Problem[] = [];
  let rows = 0;
  let heads = 0;
  let after = 0;
  const checkHeads = async (through: number, page: readonly AuditEventRow[]) => {
    const hashes = new Map(page.map(({ sequence, hash }) => [sequence, hash]));
    for (const head of await auditHeads.listBetween(after, Math.min(through, newestHead), pageRows)) {
      heads += 1;
      const kind = await problemOfHead(deps, head, hashes.get(head.sequence));
      // What follows the first is a consequence as a rule, and a list would grow with the table.
      if (kind === undefined || problems.length > 0) continue;
      problems.push({ sequence: Math.min(head.sequence, lastSequence + 1), kind });
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
  const broken = chain.problem();
  if (broken === undefined) return { rows, heads, problems };
  // The chain tells better what became of a row that a head misses.
  return { rows, heads, problems: [broken, ...problems.filter(({ kind }) => kind !== "removed")] };
}

/** @param hash of the row that the head names; `undefined` when there is no such row */
async function problemOfHead(
  deps: Pick<Deps, "signer">,
  head: AuditHeadRow,
  hash: string | null | undefined,
): Promise<AuditProblemKind | undefined> {
  const signed = await readHead(deps, head.signed);
  const { sequence, at } = head;
  if (signed === undefined || signed.sequence !== sequence || signed.hash !== head.hash || signed.at !== at) {
    return "signature";
  }
  if (hash === undefined) return "removed";
  return hash === head.hash ? undefined : "head_mismatch";
}

async function checkOutside(deps: Deps, jws: string, lastSequence: number): Promise<Problem[]> {
  const head = await readHead(deps, jws.trim());
  if (head === undefined) return [{ sequence: 0, kind: "signature" }];
  if (head.sequence > lastSequence) return [{ sequence: lastSequence + 1, kind: "removed" }];
  const row = await deps.store.read.auditEvents.find(head.sequence);
  if (row?.hash === head.hash) return [];
  return [{ sequence: head.sequence, kind: row === undefined ? "removed" : "head_mismatch" }];
}

async function readHead({ signer }: Pick<Deps, "signer">, jws: string) {
  const signed = await signer.verify(jws);
  if (signed?.type !== auditHeadType) return undefined;
  return auditHeadPayloadSchema.safeParse(signed.payload).data;
}

const messages: Readonly<Record<AuditProblemKind, string>> = {
  edited: "this row says something else than was written",
  removed: "a row that stood here is gone",
  reordered: "this row stands in another place than it was written to",
  forked: "this row and one before it both follow the same row",
  head_mismatch: "the chain was written anew: this row is not the one that was signed",
  signature: "the signed head for this row was not signed by this broker, or was changed",
};

function givenUp(): BrokerError {
  return new BrokerError("unavailable", "the request was given up before the whole audit was read", {
    remedy: "Send it again and wait for the answer.",
  });
}
