import type { AuditProblem } from "@keyloan/contract";
import {
  type AuditEventRow,
  type AuditHeadRow,
  type AuditSeal,
  type ChainEnd,
  isSealed,
  isWhole,
  type MissingRows,
} from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditProblem } from "./problems.ts";

type TailDeps = Pick<Deps, "store" | "outsideHeads">;

const linksAtOnce = 1_000;
const start: ChainEnd = { sequence: 0, hash: "0".repeat(64) };

/**
 * What is wrong with the rows that no head is signed for yet: the last is none that a broker wrote, or they are not
 * chained to each other. Rows that were looked at before are not looked at again: `verify` reads them all, and the last
 * one's MAC holds what stood before it.
 */
export async function findTailProblem(
  deps: TailDeps,
  newest: Pick<AuditHeadRow, "sequence" | "hash"> | undefined,
): Promise<AuditProblem | undefined> {
  const { auditEvents } = deps.store.read;
  const seal = deps.store.auditSeal();
  const last = await auditEvents.findLast();
  const row = last && (await auditEvents.find(last.sequence));
  const foreign = row && problemOfRow(row, seal);
  return (await findUnlinked(deps, newest, seal)) ?? foreign ?? (await findForeign(deps, seal));
}

/** Why a row is not as a broker wrote it; `undefined` when it is. */
export function problemOfRow(row: AuditEventRow, seal: AuditSeal | undefined): AuditProblem | undefined {
  const { sequence, hash, previousHash } = row;
  if (hash === null && previousHash === null) return auditProblem("out_of_chain", sequence);
  if (!isWhole(row)) return auditProblem("edited", sequence);
  return isSealed(row, seal) ? undefined : auditProblem("out_of_chain", sequence);
}

async function findUnlinked(
  deps: TailDeps,
  newest: Pick<AuditHeadRow, "sequence" | "hash"> | undefined,
  seal: AuditSeal | undefined,
): Promise<AuditProblem | undefined> {
  const { auditEvents } = deps.store.read;
  const known = deps.outsideHeads.linked();
  let from: ChainEnd = newest ?? start;
  if (known !== undefined && known.sequence >= from.sequence) from = known;
  for (;;) {
    const { through, broken } = await auditEvents.findBrokenLink(from, linksAtOnce);
    if (broken !== undefined) {
      // Anybody can chain a row to the end: then it is the broker's own behind it that names another.
      for (const sequence of [broken, through.sequence]) {
        const row = await auditEvents.find(sequence);
        const problem = row && problemOfRow(row, seal);
        if (problem !== undefined) return problem;
      }
      return auditProblem("removed", Math.min(through.sequence + 1, broken));
    }
    if (through.sequence === from.sequence) return undefined;
    from = through;
    deps.outsideHeads.noteLinked(from);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What this process found behind the end before. */
async function findForeign(
  { store }: TailDeps,
  seal: AuditSeal | undefined,
): Promise<AuditProblem | undefined> {
  const { foreign } = store.auditMemory();
  const row = foreign === undefined ? undefined : await store.read.auditEvents.find(foreign);
  return row && problemOfRow(row, seal);
}

/** The rows that this process wrote and that are gone, the last one too. */
export async function findMissing({ store }: Pick<Deps, "store">): Promise<MissingRows> {
  const { last, missing } = store.auditMemory();
  if (last === undefined || (await store.read.auditEvents.find(last.sequence))?.hash === last.hash)
    return missing;
  return { rows: [...missing.rows, last], count: missing.count + 1 };
}

/** The first of them as a problem; `undefined` when there are none. */
export function missingProblem({ rows: [first], count }: MissingRows): AuditProblem | undefined {
  return count > 0 ? auditProblem("removed", first?.sequence ?? 0) : undefined;
}
