import type { ListedLease } from "@keyloan/contract";
import type { Io } from "./io.ts";
import { momentText, relativeTime } from "./moments.ts";
import { paintFor, paintState } from "./paint.ts";
import { printable, wrap } from "./terminal-text.ts";

/** Prints a lease for a person: what it is, how it ends, and what failed with the remedy. */
export function showLease(io: Io, lease: ListedLease): void {
  const paint = paintFor(io, "stdout");
  const fact = (name: string, value: string) => io.out(`${paint("dim", name.padEnd(11))}${value}\n`);
  const moment = (iso: string) => `${printable(momentText(iso))} (${relativeTime(iso, io.now())})`;
  fact("Lease", printable(lease.id));
  fact("Connector", printable(lease.connector));
  fact("Build", printable(lease.buildId));
  fact("State", paintState(paint, printable(lease.state)));
  fact("Grade", printable(`${lease.grade}, ${lease.gradeMeaning}`));
  fact("Created", printable(momentText(lease.createdAt)));
  if (lease.issuedAt !== undefined) fact("Issued", printable(momentText(lease.issuedAt)));
  if (lease.state !== "released") fact("Expires", moment(lease.expiresAt));
  for (const [part, name] of Object.entries(lease.resource)) {
    fact("Resource", printable(`${part} ${name}`));
  }
  fact("Revoking", printable(lease.revocation));
  const { error } = lease;
  if (error === undefined) return;
  const next = error.retryable ? " It is tried again automatically." : "";
  io.out(`\n${wrap(printable(`${error.message} ${error.remedy}${next}`), 78, "  ")}\n`);
}
