import type { AuditProblem } from "@keyloan/contract";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { findStandingProblem, type StandingDeps } from "./audit-standing.ts";

type WatchDeps = StandingDeps & Pick<Deps, "logger" | "change">;

/** {@link findStandingProblem}, told to the log each time and to a person when it is new to this process. */
export async function watchStanding(deps: WatchDeps): Promise<AuditProblem | undefined> {
  const problem = await findStandingProblem(deps);
  const isNew = deps.outsideHeads.noteTold(problem?.message);
  if (problem === undefined) return undefined;
  deps.logger.error(
    { ...problem },
    "the audit differs from what was signed, so nothing new is handed out: run `keyloan audit verify`",
  );
  if (isNew) {
    const notice = {
      type: "audit.degraded",
      message: `the audit differs from what was signed: ${problem.message}`,
      remedy:
        "Run `keyloan audit verify`. If the store was restored on purpose, run `keyloan audit accept-head`.",
    } as const;
    await deps.change(bySystem("audit"), [], async (tx) => tx.notice(notice));
  }
  return problem;
}
