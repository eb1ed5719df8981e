import type { BuildView, LeaseView } from "@keyloan/contract";
import { factsOn } from "./facts.ts";
import type { Io } from "./io.ts";
import { momentText, relativeTime } from "./moments.ts";
import { paintFor } from "./paint.ts";
import { printTable } from "./table.ts";
import { printable, wrap } from "./terminal-text.ts";

/** Prints a build for a person: its facts, its leases, and what failed with the remedy. */
export function showBuild(io: Io, build: BuildView): void {
  const fact = factsOn(io, 10);
  const now = io.now();
  fact("Build", build.id);
  fact("Name", build.name);
  fact("State", build.state, "state");
  fact("Profile", build.profile);
  fact("Created", momentText(build.createdAt));
  if (build.closedAt === undefined) {
    fact("Expires", `${momentText(build.expiresAt)} (${relativeTime(build.expiresAt, now)})`);
    fact("Renewable", `until ${momentText(build.renewableUntil)}`);
  } else {
    fact("Closed", momentText(build.closedAt));
  }
  if (build.lendingEndedAt !== undefined) {
    const ended = momentText(build.lendingEndedAt);
    fact("Lending", `ended ${ended}: the app's user has their own keys for everything`);
  }
  if (build.leases.length === 0) return;
  io.out("\n");
  printTable<LeaseView>(
    io,
    [
      { title: "CONNECTOR", value: (lease) => lease.connector },
      { title: "STATE", value: (lease) => lease.state, isState: true },
      { title: "GRADE", value: (lease) => lease.grade },
      { title: "EXPIRES", value: (lease) => relativeTime(lease.expiresAt, now) },
      { title: "RESOURCE", value: (lease) => Object.values(lease.resource).join(" "), shrinks: true },
    ],
    build.leases,
  );
  showGrades(io, build.leases);
  for (const lease of build.leases) if (lease.error !== undefined) io.out(leaseProblem(lease));
}

function showGrades(io: Io, leases: readonly LeaseView[]): void {
  const paint = paintFor(io, "stdout");
  const meanings = new Map(leases.map((lease) => [lease.grade, lease.gradeMeaning]));
  const lines = [...meanings].sort().map(([grade, meaning]) => printable(`${grade}  ${meaning}`));
  io.out(`\n${paint("dim", lines.join("\n"))}\n`);
}

function leaseProblem(lease: LeaseView): string {
  const { error } = lease;
  if (error === undefined) return "";
  const facts = [error.status === undefined ? "" : `status ${error.status}`, error.requestId ?? ""].filter(
    Boolean,
  );
  const where = facts.length === 0 ? "" : ` (${facts.join(", ")})`;
  const isWaiting = error.retryable && lease.state !== "requires_action";
  const next = isWaiting ? " It is tried again automatically." : "";
  const text = `${lease.connector}: ${error.message}${where} ${error.remedy}${next}`;
  return `\n${wrap(text, 78, "  ")}\n`;
}
