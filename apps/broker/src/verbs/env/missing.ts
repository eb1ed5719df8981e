import { BrokerError } from "@keyloan/contract";
import type { EnvSourceRow } from "@keyloan/store";
import { previewUsesOwn } from "../settings/preview-answers.ts";

/** A connector that has nothing to give now. */
export type Missing = { readonly connector: string; readonly state: string };

/** Why a connector has nothing to give; nothing when it has. */
export function missingReason(row: EnvSourceRow, now: number): Missing[] {
  if (previewUsesOwn(row)) {
    return row.userEnv === null ? [{ connector: row.connectorId, state: "absent" }] : [];
  }
  if (row.leaseState !== "active" || row.env === null) {
    const state = stateOf(row);
    // The lent one is gone, and the user's own is not for the build.
    const isKept = row.source === "user" && state === "revoked";
    return [{ connector: row.connectorId, state: isKept ? "kept_by_user" : state }];
  }
  return (row.leaseExpiresAt ?? 0) <= now ? [{ connector: row.connectorId, state: "expired" }] : [];
}

/** The build lives, so what is ended was revoked alone. */
function stateOf({ leaseState }: EnvSourceRow): string {
  return leaseState === "releasing" || leaseState === "released" ? "revoked" : (leaseState ?? "absent");
}

const passing = "Try again in a moment; `keyloan build show` shows why a connector is not ready.";
/** What does not pass by itself, the gravest first. */
const lastingReasons = [
  { state: "revoked", words: "revoked", remedy: "What was revoked cannot be restored: create a new build." },
  {
    state: "kept_by_user",
    words: "kept by the user and not for the build",
    remedy: "The lent keys have ended. The app's user can let the build use their key, on the settings page.",
  },
  { state: "expired", words: "expired", remedy: "Renew the build with `keyloan build renew`." },
] as const;

/** The 409 for an env that is not complete. */
export function notReady(state: string, missing: readonly Missing[]): BrokerError {
  const wordsOf = (known: string) => lastingReasons.find((reason) => reason.state === known)?.words ?? known;
  const list = missing.map((entry) => `${entry.connector} is ${wordsOf(entry.state)}`).join(", ");
  const lasting = lastingReasons.find((reason) => missing.some((entry) => entry.state === reason.state));
  return new BrokerError("not_ready", `the env is not complete: ${list}`, {
    remedy: lasting?.remedy ?? passing,
    details: { state, missing },
    ...(lasting === undefined ? { retryAfterSeconds: 2 } : {}),
  });
}
