import { BrokerError } from "@keyloan/contract";
import type * as z from "zod";

/** The 422 for what a schema refused. */
export function invalidInput(target: string, issues: readonly z.core.$ZodIssue[]): BrokerError {
  const problems = issues.map((issue) => ({
    in: target,
    path: issue.path.map(String).join("."),
    problem: issue.message,
  }));
  const first = problems[0];
  const where =
    first === undefined ? "" : `: ${[first.in, first.path].filter(Boolean).join(" ")}: ${first.problem}`;
  return new BrokerError("invalid_input", `the request is not valid${where}`, {
    remedy: "Fix what `details.problems` lists; `/docs` shows every field.",
    details: { problems },
  });
}
