/**
 * Legal moves, one table per entity; every state change goes through {@link assertTransition}. A lease that
 * requires manual action is `requires_action`; `failed` is what older versions called a refusal.
 */
export const leaseTransitions = {
  planned: ["active", "requires_action", "releasing"],
  active: ["releasing", "archived"],
  archived: ["active", "releasing"],
  failed: ["planned", "releasing"],
  requires_action: ["planned", "active", "releasing", "released"],
  releasing: ["released", "requires_action"],
  released: [],
} as const;

export const buildTransitions = {
  provisioning: ["ready", "closing"],
  ready: ["handing_off", "closing"],
  handing_off: ["handed_off", "closing"],
  handed_off: ["closing"],
  closing: ["closed"],
  closed: [],
} as const;

export const orgKeyTransitions = {
  active: ["retiring"],
  retiring: ["retired"],
  retired: [],
} as const;

/** What states were called in the version before; still understood where somebody asks for one. */
export const formerStates: Readonly<Record<string, string>> = { needs_hands: "requires_action" };

/** `requires_action`: a job requires manual action; `retry` brings a job back from every end but `done`. */
export const jobTransitions = {
  waiting: ["done", "failed", "requires_action", "cancelled"],
  requires_action: ["waiting", "done", "cancelled"],
  failed: ["waiting", "cancelled"],
  cancelled: ["waiting"],
  done: [],
} as const;

/** An archive may be relied on from `verified` on; its database is dropped only then. `removed`: with its build. */
export const archiveTransitions = {
  writing: ["verified", "failed"],
  verified: ["restored", "removed"],
  restored: [],
  failed: [],
  removed: [],
} as const;

/** `copied` is proven and waits for the swap; `switched` is in use; the source is dropped later. */
export const transferTransitions = {
  waiting: ["copying", "cancelled", "failed"],
  copying: ["copied", "cancelled", "failed"],
  copied: ["switched", "cancelled", "failed"],
  switched: ["cancelled"],
  cancelled: ["waiting"],
  failed: ["waiting", "cancelled"],
} as const;

export type LeaseState = keyof typeof leaseTransitions;
export type BuildState = keyof typeof buildTransitions;
export type OrgKeyState = keyof typeof orgKeyTransitions;

export type JobState = keyof typeof jobTransitions;
export type ArchiveState = keyof typeof archiveTransitions;
export type TransferState = keyof typeof transferTransitions;

export const jobStates = Object.keys(jobTransitions) as readonly JobState[];
export const archiveStates = Object.keys(archiveTransitions) as readonly ArchiveState[];
export const transferStates = Object.keys(transferTransitions) as readonly TransferState[];
export const leaseStates = Object.keys(leaseTransitions) as readonly LeaseState[];
export const buildStates = Object.keys(buildTransitions) as readonly BuildState[];
export const orgKeyStates = Object.keys(orgKeyTransitions) as readonly OrgKeyState[];

type TransitionTable = Readonly<Record<string, readonly string[]>>;

/** Throws when a table does not allow the move; staying in a state is no move and is refused too. */
export function assertTransition(table: TransitionTable, from: string, to: string): void {
  if (!table[from]?.includes(to)) throw new Error(`illegal move from ${from} to ${to}`);
}
