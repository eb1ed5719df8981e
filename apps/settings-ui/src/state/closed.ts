import type { KnownBuilds, SettingsView } from "@keyloan/contract";
import type { Failure } from "../api/request.ts";

/** Why there is nothing to show but a way back. */
export type ClosedReason =
  | "no_link"
  | "link_broken"
  | "link_used"
  | "link_expired"
  | "person_only"
  | "session_expired"
  | "left"
  | "forgotten"
  | "build_closed";

export type KnownBuild = KnownBuilds["builds"][number];

export type Closed = {
  readonly kind: "closed";
  readonly reason: ClosedReason;
  /** What this browser can open all the same. */
  readonly known: readonly KnownBuild[];
  /** A visit that is still open in this browser. */
  readonly other?: SettingsView;
};

/** Why a way in leads nowhere; `undefined` when trying again may help. */
export function closedReason({ code }: Failure, byLink: boolean): ClosedReason | undefined {
  switch (code) {
    case "handoff_used":
      return "link_used";
    case "handoff_expired":
      return "link_expired";
    case "build_closed":
      return "build_closed";
    case "person_only":
      return "person_only";
    case "malformed_request":
    case "invalid_input":
      return byLink ? "link_broken" : "no_link";
    case "session_expired":
    case "unauthenticated":
      return "no_link";
    case "not_found":
      return byLink ? undefined : "no_link";
    default:
      return undefined;
  }
}
