import { type Arguments, CommandError, type Invocation, UsageError } from "./command.ts";

/** The first positional argument as a lease id. */
export function leaseIdOf(args: Arguments): string {
  const id = args.positionals[0];
  if (id !== undefined && /^lse_[0-9a-hjkmnp-tv-z]{20}$/.test(id)) return id;
  throw new UsageError(
    id === undefined
      ? "The lease id is missing."
      : "That is not a lease id: one looks like lse_ and 20 lower-case letters and digits.",
    "See the ids with: keyloan lease list",
  );
}

/**
 * The id of a lease that is given by its id, or by its build and connector.
 * @throws CommandError `not_found` when the build has no such lease
 */
export async function findLeaseId({ args, connect }: Invocation): Promise<string> {
  const [first = "", connector] = args.positionals;
  if (connector === undefined) return first;
  const build = await connect().builds.get(first);
  const lease = build.leases.find((each) => each.connector === connector);
  if (lease !== undefined) return lease.id;
  const ids = build.leases.map((each) => each.connector).join(", ");
  throw new CommandError(
    "not_found",
    `The build has no lease of "${connector}".`,
    `It has: ${ids || "none"}.`,
  );
}
