/** What an envelope is bound to: it opens for no other purpose, owner or row. */
export type SealingContext = { readonly purpose: string; readonly ownerId: string; readonly field: string };

/** THE table of what the broker seals. */
export const sealingContexts = {
  leaseValues: context("lease-env"),
  userKey: context("user-key"),
  /** The private half of what a page seals with. */
  sessionKey: context("session-key"),
  archive: context("archive"),
  signingKey: context("signing-key"),
  /** The count of audit heads. */
  auditState: (ownerId: string) => context("audit-state")(ownerId, "heads"),
} as const;

function context(purpose: string) {
  return (ownerId: string, field: string): SealingContext => ({ purpose, ownerId, field });
}
