export const tokenKinds = ["admin", "api", "build"] as const;
export type TokenKind = (typeof tokenKinds)[number];

/** What a platform API token may do. */
export const platformScopes = ["builds:read", "builds:write", "tokens:write"] as const;
export type PlatformScope = (typeof platformScopes)[number];

/** Who acts. Attribution is derived from it and never read from input. */
export type Actor =
  | { readonly kind: "admin"; readonly subject: string }
  | {
      readonly kind: "platform";
      readonly tokenId: string;
      readonly scopes: readonly PlatformScope[];
    }
  | { readonly kind: "workload"; readonly tokenId: string; readonly buildId: string }
  | { readonly kind: "session"; readonly sessionId: string; readonly buildId: string }
  | { readonly kind: "job"; readonly jobId: string }
  | { readonly kind: "system"; readonly part: string };

/** One line for the audit trail. */
export function actorLabel(actor: Actor): string {
  switch (actor.kind) {
    case "admin":
      return `admin:${actor.subject}`;
    case "platform":
      return `platform:${actor.tokenId}`;
    case "workload":
      return `workload:${actor.tokenId}`;
    case "session":
      return `session:${actor.sessionId}`;
    case "job":
      return `job:${actor.jobId}`;
    case "system":
      return `system:${actor.part}`;
  }
}
