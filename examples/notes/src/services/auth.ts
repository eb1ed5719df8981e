import { createClerkClient } from "@clerk/backend";
import type { Env } from "../env.ts";
import { ServiceError, withTimeout } from "../failure.ts";

const callTimeoutMs = 10_000;

/**
 * Asks Clerk for the number of users, which any working secret key may read.
 * @throws ServiceError when something other than a number comes back: the client library does not check that
 */
export function createAuthCheck(settings: Env["clerk"]): () => Promise<number> {
  const clerk = createClerkClient({ ...settings, telemetry: { disabled: true } });
  return async () => {
    const count: unknown = await withTimeout(clerk.users.getCount(), callTimeoutMs);
    if (typeof count !== "number") throw new ServiceError("answered something unexpected");
    return count;
  };
}
