import type { AuditHeadPayload, AuditProblem, AuditVerification } from "@keyloan/contract";
import type { AuditHeadRow } from "@keyloan/store";
import { type AuditState, holdsAllHeads } from "../../audit-state.ts";
import { isoTime } from "../../iso-time.ts";
import { auditProblem } from "./problems.ts";

type HeadsFound = {
  readonly heads: number;
  /** The highest that a head of the store has. */
  readonly counter: number;
  readonly givenUp: AuditVerification["givenUp"];
  readonly problems: readonly AuditProblem[];
};

/** Takes the signed heads of the store, oldest first, and finds those that are missing, changed or not for their row. */
export function createHeadCheck(lastSequence: number) {
  const givenUp: { after: number; before: number; at: string }[] = [];
  let problem: AuditProblem | undefined;
  let heads = 0;
  let counter = 0;
  let end = 0;
  // What follows the first is a consequence as a rule, and a list would grow with the table.
  const note = (found: AuditProblem) => {
    problem ??= found;
  };
  return {
    /** @param hash of the row that the head is of; `undefined` when there is no such row */
    add: (row: AuditHeadRow, head: AuditHeadPayload | undefined, hash: string | null | undefined): void => {
      heads += 1;
      const at = Math.min(row.sequence, lastSequence + 1);
      if (head === undefined) {
        note(auditProblem("signature", at));
        return;
      }
      if (hash === undefined) note(auditProblem("removed", at));
      else if (hash !== head.hash) note(auditProblem("head_mismatch", at));
      const { counter: own, after } = head;
      if (own === undefined) {
        // From before heads were counted, so it cannot stand behind one that was.
        if (counter > 0) note(auditProblem("signature", at));
      } else {
        if (after === counter && after < own - 1) givenUp.push({ after, before: own, at: isoTime(head.at) });
        else if (own !== counter + 1)
          note(auditProblem("heads_missing", Math.min(end + 1, at), `after ${counter} comes ${own}`));
        counter = own;
      }
      end = row.sequence;
    },
    /** @param state what was sealed before the heads were read; `undefined` when that is gone */
    end: (state: AuditState | undefined): HeadsFound => {
      if (state !== undefined && counter < state.heads && !holdsAllHeads(state, counter))
        note(auditProblem("heads_missing", Math.min(end, lastSequence) + 1, `${counter} of ${state.heads}`));
      return { heads, counter, givenUp, problems: problem === undefined ? [] : [problem] };
    },
  };
}
