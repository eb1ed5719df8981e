import { type Command, type Invocation, UsageError } from "../shell/command.ts";
import { confirm } from "../shell/confirm.ts";
import { leaseIdOf } from "../shell/lease-id.ts";
import { note, printJson } from "../shell/output.ts";
import { showLease } from "../shell/show-lease.ts";
import { printable } from "../shell/terminal-text.ts";

/** Revokes one lease, all of a connector, or all there are. */
export const command: Command = {
  usage: "lease revoke <lease-id> | --connector <id> | --all",
  summary: "Revoke what was lent: one lease, all of a connector, or everything.",
  notes: [
    "This cannot be undone. The builds continue without what is revoked, and their env is refused from then on. Revoking it again changes nothing and succeeds.",
    "With --connector or --all the broker continues in the background after this command ends: keyloan lease list --state releasing shows what is left. New leases are still issued; remove the org's key first to stop that.",
  ],
  options: {
    connector: { type: "text", value: "id", help: "every lease of this connector" },
    all: { type: "flag", help: "every lease of the org" },
    yes: { type: "flag", help: "do not ask for confirmation" },
  },
  positionals: ["[lease id]"],
  examples: [
    "keyloan lease revoke lse_3k9v0a5m2c7d8e4f6g1h",
    "keyloan lease revoke --connector turso",
    "keyloan lease revoke --all --yes --json",
  ],
  run: async (invocation) => {
    const { args } = invocation;
    const named = [args.positionals[0], args.text("connector"), args.flag("all") || undefined];
    if (named.filter((each) => each !== undefined).length !== 1) {
      throw new UsageError("Name exactly one thing to revoke: a lease id, --connector, or --all.");
    }
    return args.positionals[0] === undefined ? revokeMany(invocation) : revokeOne(invocation);
  },
};

async function revokeOne({ args, io, json, connect }: Invocation): Promise<number> {
  const lease = await connect().leases.revoke(leaseIdOf(args));
  if (json) printJson(io, lease);
  else showLease(io, lease);
  if (!json && lease.state !== "released")
    note(io, "\nThe broker is still asking its provider to end it; nobody can read its values any more.");
  return 0;
}

async function revokeMany({ args, io, json, connect }: Invocation): Promise<number> {
  const connector = args.text("connector");
  const { leases } = connect();
  const which = `Every lease of ${connector ?? "the org"} will be revoked, in all builds.`;
  await confirm(io, which, args.flag("yes"), connector ?? "all");
  const revoked = await leases.revokeMany(
    connector === undefined ? { all: true, confirm: "all" } : { connector },
  );
  if (json) {
    printJson(io, revoked);
    return 0;
  }
  const counts = Object.entries(revoked.connectors).map(([id, count]) => `${count} of ${printable(id)}`);
  const split = counts.length === 0 ? "" : ` (${counts.join(", ")})`;
  note(io, `${revoked.leases} leases of ${revoked.builds} builds are revoked${split}.`);
  if (revoked.leases > 0) note(io, "What is left at the providers: keyloan lease list --state releasing");
  return 0;
}
