import type { AuditMatch } from "@keyloan/contract";
import { counted } from "./counted.ts";
import type { Io } from "./io.ts";
import { momentText } from "./moments.ts";
import { paintFor } from "./paint.ts";
import { printable } from "./terminal-text.ts";

const readersShown = 10;

/** Prints all that is known of a value that leaked; never the value. */
export function showMatch(io: Io, match: AuditMatch): void {
  const paint = paintFor(io, "stdout");
  const row = (title: string, text: string) =>
    io.out(`  ${paint("dim", title.padEnd(11))} ${printable(text)}\n`);
  const alive = match.alive ? paint("red", "may still work") : paint("green", "dead");
  io.out(`${paint("bold", printable(titleOf(match)))}: ${alive}\n`);
  if (match.what === "lease") {
    row("build", `${match.buildId}${match.buildName === undefined ? "" : ` (${match.buildName})`}`);
    row("lease", `${match.leaseId}, ${match.state}, grade ${match.grade}`);
    row("issued", momentText(match.issuedAt));
    showReaders(row, match.readers);
  } else if (match.what === "org_key") {
    row("key", `${match.orgKeyId}, ${match.state}`);
    row("set", momentText(match.putAt));
    row("builds", match.builds.count === 0 ? "none uses it" : `${match.builds.count} leases use it`);
    for (const id of match.builds.ids) row("", id);
  } else {
    if (match.tokenId !== undefined) row("token", match.tokenId);
    if (match.buildId !== undefined) row("build", match.buildId);
    if (match.issuedAt !== undefined) row("issued", momentText(match.issuedAt));
    if (match.uses !== undefined) showReaders(row, match.uses);
  }
}

/** What a value is, in a few words. */
export function titleOf(match: AuditMatch): string {
  if (match.what === "lease") return `${match.variable} of ${match.connector}`;
  if (match.what === "org_key")
    return `the org's key for ${match.connector}, version ${match.version} (${match.variable})`;
  return match.name === undefined
    ? `a Keyloan ${match.kind} token`
    : `the Keyloan ${match.kind} token "${match.name}"`;
}

type Readers = { readonly count: number; readonly latest: readonly { at: string; actor: string }[] };

function showReaders(row: (title: string, text: string) => void, { count, latest }: Readers): void {
  row("fetched", count === 0 ? "never" : `${counted(count, "time")}, the latest:`);
  for (const { at, actor } of latest.slice(0, readersShown)) row("", `${momentText(at)}  ${actor}`);
}
