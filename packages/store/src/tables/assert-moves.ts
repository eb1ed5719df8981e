import { assertTransition } from "@keyloan/contract";

/**
 * Refuses an update that would move a row from one of these states to a state that the table of states forbids.
 * A change without a state, or to the state that a row is in, is not a move.
 * @throws Error for a forbidden move
 */
export function assertMoves(
  table: Parameters<typeof assertTransition>[0],
  from: readonly string[],
  to: string | undefined,
): void {
  for (const state of from) if (to !== undefined && to !== state) assertTransition(table, state, to);
}
