/** Legal moves, one table per entity; every state change goes through {@link assertTransition}. */
export const leaseTransitions = {
  planned: ["active", "failed", "needs_hands", "releasing"],
  active: ["releasing", "archived"],
  archived: ["active", "releasing"],
  failed: ["planned", "releasing"],
  needs_hands: ["planned", "active", "releasing"],
  releasing: ["released", "needs_hands"],
  released: [],
} as const;

export const buildTransitions = {
  provisioning: ["ready", "closing"],
  ready: ["handing_off", "closing"],
  handing_off: ["ready", "handed_off", "closing"],
  handed_off: ["closing"],
  closing: ["closed"],
  closed: [],
} as const;

export const orgKeyTransitions = {
  active: ["retiring", "retired"],
  retiring: ["retired"],
  retired: [],
} as const;

export type LeaseState = keyof typeof leaseTransitions;
export type BuildState = keyof typeof buildTransitions;
export type OrgKeyState = keyof typeof orgKeyTransitions;

export const leaseStates = Object.keys(leaseTransitions) as readonly LeaseState[];
export const buildStates = Object.keys(buildTransitions) as readonly BuildState[];
export const orgKeyStates = Object.keys(orgKeyTransitions) as readonly OrgKeyState[];

type TransitionTable = Readonly<Record<string, readonly string[]>>;

/** Throws when a table does not allow the move; staying in a state is no move and is refused too. */
export function assertTransition(table: TransitionTable, from: string, to: string): void {
  if (!table[from]?.includes(to)) throw new Error(`illegal move from ${from} to ${to}`);
}
