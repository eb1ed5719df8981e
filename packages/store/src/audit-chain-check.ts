import { type ChainEnd, chainStart, hashRow } from "./audit-chain.ts";
import { type AuditSeal, isSealed } from "./audit-seal.ts";
import type { AuditEventRow } from "./tables/audit-events.ts";

/**
 * `edited`: a row's content is not what was written. `removed`: a row that was here is gone. `reordered`: a row is at
 * another place than it was written to. `forked`: two rows follow the same one. `out_of_chain`: no broker wrote the row:
 * it has no hash, or not the MAC of its hash.
 */
export type ChainProblemKind = "edited" | "removed" | "reordered" | "forked" | "out_of_chain";
export type ChainProblem = { readonly sequence: number; readonly kind: ChainProblemKind };

export type ChainCheck = {
  /** Adds the next rows, which must be in the order of their numbers. */
  readonly add: (rows: readonly AuditEventRow[]) => void;
  /** The first problem among the rows added so far; its kind is certain only after all rows were added. */
  readonly problem: () => ChainProblem | undefined;
};

type Suspect = {
  readonly row: AuditEventRow & { readonly hash: string; readonly previousHash: string };
  moved: boolean;
  predecessorSeen: boolean;
};

const recentMax = 1_000;

/** Checks the chain row by row and remembers only the last 1,000 hashes, however long the chain is. */
export function createChainCheck(seal?: AuditSeal): ChainCheck {
  let end: ChainEnd = chainStart;
  let problem: ChainProblem | undefined;
  let suspect: Suspect | undefined;
  const recent = createRecent(recentMax);

  const inspect = (row: AuditEventRow): void => {
    const { sequence, hash, previousHash } = row;
    if (hash === null || previousHash === null)
      problem = { sequence, kind: hash === previousHash ? "out_of_chain" : "edited" };
    else if (hashRow({ ...row, previousHash }) !== hash) {
      suspect = {
        row: { ...row, hash, previousHash },
        moved: stoodNearby({ ...row, previousHash }, hash),
        predecessorSeen: previousHash === end.hash || recent.hasHash(previousHash),
      };
    } else if (!isSealed(row, seal)) problem = { sequence, kind: "out_of_chain" };
    else if (previousHash !== end.hash) problem = brokenLink(sequence, previousHash);
    else {
      recent.add(hash, previousHash);
      end = { sequence, hash };
    }
  };
  const brokenLink = (sequence: number, previousHash: string): ChainProblem => {
    if (recent.hasPrevious(previousHash)) return { sequence, kind: "forked" };
    if (sequence > end.sequence + 1) return { sequence: end.sequence + 1, kind: "removed" };
    // The row before was edited and hashed again; this row still holds the hash from before the edit.
    return { sequence: Math.max(end.sequence, 1), kind: "edited" };
  };
  return {
    add: (rows) => {
      for (const row of rows) {
        if (suspect !== undefined) takeEvidence(suspect, row);
        else if (problem === undefined) inspect(row);
      }
    },
    problem: () => (suspect === undefined ? problem : judge(suspect)),
  };
}

/** Whether the row's hash is right for a number close to its own: then the row was moved or renumbered. */
function stoodNearby(row: Parameters<typeof hashRow>[0], hash: string): boolean {
  for (let distance = 1; distance <= recentMax; distance++) {
    if (hashRow({ ...row, sequence: row.sequence - distance }) === hash) return true;
    if (hashRow({ ...row, sequence: row.sequence + distance }) === hash) return true;
  }
  return false;
}

/** A later row may show where the suspect was: the suspect holds that row's hash, or that row holds the suspect's. */
function takeEvidence(suspect: Suspect, { sequence, hash, previousHash }: AuditEventRow): void {
  const { row } = suspect;
  const isRightFor = (place: number) => hashRow({ ...row, sequence: place }) === row.hash;
  if (hash === row.previousHash) {
    suspect.predecessorSeen = true;
    suspect.moved ||= isRightFor(sequence + 1);
  } else if (previousHash === row.hash) suspect.moved ||= isRightFor(sequence - 1);
}

function judge({ row, moved, predecessorSeen }: Suspect): ChainProblem {
  if (!moved) return { sequence: row.sequence, kind: "edited" };
  return { sequence: row.sequence, kind: predecessorSeen ? "reordered" : "removed" };
}

function createRecent(max: number) {
  const hashes = new Set<string>();
  const previous = new Set<string>();
  const keep = (set: Set<string>, text: string) => {
    set.add(text);
    if (set.size > max) set.delete(set.values().next().value ?? "");
  };
  return {
    add: (hash: string, previousHash: string) => {
      keep(hashes, hash);
      keep(previous, previousHash);
    },
    hasHash: (hash: string) => hashes.has(hash),
    hasPrevious: (hash: string) => previous.has(hash),
  };
}
