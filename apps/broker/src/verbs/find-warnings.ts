import type { Warning } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { exposureWarnings } from "../exposure.ts";
import { isLent } from "./settings/check-keys.ts";

/** What an operator should fix although everything works: who reaches the broker, and which of its own keys builds hold. */
export async function findWarnings(
  deps: Pick<Deps, "config" | "store" | "fingerprint">,
): Promise<readonly Warning[]> {
  const warnings = exposureWarnings(deps.config);
  const signIn = deps.config.clerkSessions?.secretKey;
  if (signIn === undefined || !(await isLent(deps, signIn))) return warnings;
  return [
    ...warnings,
    {
      code: "lent_sign_in_key",
      message:
        "KEYLOAN_CLERK_SECRET_KEY is also an org key, so builds get it: each can make sessions of your users and open their settings pages.",
      remedy:
        "Use another Clerk instance for one of the two: set KEYLOAN_CLERK_PUBLISHABLE_KEY and KEYLOAN_CLERK_SECRET_KEY to the instance of your own app, and lend the keys of one that only builds use. Then rotate the key that was lent.",
    },
  ];
}
