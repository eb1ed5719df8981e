import { type Arguments, UsageError } from "./command.ts";

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
