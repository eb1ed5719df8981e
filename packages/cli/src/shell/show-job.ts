import type { JobView } from "@keyloan/contract";
import type { Arguments } from "./command.ts";
import { UsageError } from "./command.ts";
import { factsOn } from "./facts.ts";
import type { Io } from "./io.ts";
import { momentText, relativeTime } from "./moments.ts";
import { paintFor } from "./paint.ts";
import { printable, wrap } from "./terminal-text.ts";

/** The positional argument as a job id. */
export function jobIdOf(args: Arguments): string {
  const id = args.positionals[0];
  if (id !== undefined && /^job_[0-9a-hjkmnp-tv-z]{20}$/.test(id)) return id;
  throw new UsageError(
    "That is not a job id: one looks like job_ and 20 lower-case letters and digits.",
    "See the ids with: keyloan jobs list",
  );
}

/** Prints a job for a person: its facts, what failed, and what is to be done by when. */
export function showJob(io: Io, job: JobView): void {
  const fact = factsOn(io, 11);
  const now = io.now();
  const moment = (at: string | undefined) =>
    at === undefined ? undefined : `${momentText(at)} (${relativeTime(at, now)})`;
  fact("Job", job.id);
  fact("Kind", job.kind);
  fact("State", job.running ? `${job.state}, running now` : job.state, "state");
  fact("Build", job.build);
  fact("Connector", job.connector);
  fact("Attempts", String(job.attempts));
  fact("Created", moment(job.createdAt));
  fact("Next run", moment(job.nextRunAt));
  fact("Ended", moment(job.endedAt));
  if (job.lastError !== undefined && job.requiredAction === undefined) {
    const { code, message, remedy = "" } = job.lastError;
    io.out(`\n${wrap(`${message ?? code} ${remedy}`.trim(), 78, "  ")}\n`);
  }
  if (job.requiredAction !== undefined) showAction(io, job.requiredAction);
}

function showAction(io: Io, requiredAction: NonNullable<JobView["requiredAction"]>): void {
  const paint = paintFor(io, "stdout");
  const due = `${momentText(requiredAction.dueAt)} (${relativeTime(requiredAction.dueAt, io.now())})`;
  const title = requiredAction.overdue
    ? `Requires manual action, overdue since ${due}:`
    : `Requires manual action by ${due}:`;
  io.out(`\n${paint(requiredAction.overdue ? "red" : "bold", printable(title))}\n`);
  requiredAction.steps.forEach(({ text, url }, index) => {
    const number = `${index + 1}.`.padEnd(4);
    io.out(`  ${number}${wrap(text, 78, "      ").trimStart()}\n`);
    if (url !== undefined) io.out(`      ${printable(url)}\n`);
  });
}
