import type { Command } from "../shell/command.ts";
import { leaseIdOf } from "../shell/lease-id.ts";
import { printJson } from "../shell/output.ts";
import { showLease } from "../shell/show-lease.ts";

/** Shows one lease, never a value. */
export const command: Command = {
  usage: "lease show <lease-id>",
  summary: "Show one lease: state, expiry, what it owns at the provider. It never shows values.",
  positionals: ["lease id"],
  examples: ["keyloan lease show lse_3k9v0a5m2c7d8e4f6g1h"],
  run: async ({ args, io, json, connect }) => {
    const lease = await connect().leases.get(leaseIdOf(args));
    if (json) printJson(io, lease);
    else showLease(io, lease);
    return 0;
  },
};
