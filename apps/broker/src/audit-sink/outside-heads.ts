import type { ChainEnd } from "@keyloan/store";
import type { OutsideHead } from "../verbs/audit/judge-head.ts";

/** What this process knows of the audit, outside the store. */
export type OutsideHeads = {
  /** When the process began, milliseconds since the epoch. */
  readonly since: number;
  /** The newest of each place. */
  readonly known: () => readonly OutsideHead[];
  readonly note: (head: OutsideHead) => void;
  /** How far rows were seen to be chained to each other, behind the newest head. */
  readonly linked: () => ChainEnd | undefined;
  readonly noteLinked: (end: ChainEnd) => void;
  /** Whether what is wrong with the audit is new to this process. */
  readonly noteTold: (problem: string | undefined) => boolean;
};

export function createOutsideHeads(since: number): OutsideHeads {
  const heads = new Map<OutsideHead["by"], OutsideHead>();
  let told: string | undefined;
  let linked: ChainEnd | undefined;
  return {
    since,
    known: () => [...heads.values()],
    note: (head) => {
      heads.set(head.by, head);
    },
    linked: () => linked,
    noteLinked: (end) => {
      linked = end;
    },
    noteTold: (problem) => {
      const isNew = problem !== undefined && problem !== told;
      told = problem;
      return isNew;
    },
  };
}
