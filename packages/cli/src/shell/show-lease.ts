import type { ListedLease } from "@keyloan/contract";
import { factsOn } from "./facts.ts";
import type { Io } from "./io.ts";
import { momentText, relativeTime } from "./moments.ts";
import { wrap } from "./terminal-text.ts";

/** Prints a lease for a person: what it is, how it ends, and what failed with the remedy. */
export function showLease(io: Io, lease: ListedLease): void {
  const fact = factsOn(io, 11);
  const moment = (iso: string) => `${momentText(iso)} (${relativeTime(iso, io.now())})`;
  fact("Lease", lease.id);
  fact("Connector", lease.connector);
  fact("Build", lease.buildId);
  fact("State", lease.state, "state");
  fact("Grade", `${lease.grade}, ${lease.gradeMeaning}`);
  fact("Created", momentText(lease.createdAt));
  if (lease.issuedAt !== undefined) fact("Issued", momentText(lease.issuedAt));
  if (lease.state !== "released") fact("Expires", moment(lease.expiresAt));
  for (const [part, name] of Object.entries(lease.resource)) {
    fact("Resource", `${part} ${name}`);
  }
  fact("Revoking", lease.revocation);
  const { error } = lease;
  if (error === undefined) return;
  const next = error.retryable ? " It is tried again automatically." : "";
  io.out(`\n${wrap(`${error.message} ${error.remedy}${next}`, 78, "  ")}\n`);
}
