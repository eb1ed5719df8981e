import { assertTransition } from "@keyloan/contract";

/**
 * Refuses an update that would move a row from one of these states to where its table of states does not lead.
 * A change that names no state, or the one a row is in, is no move.
 * @throws Error for a forbidden move
 */
export function assertMoves(
  table: Parameters<typeof assertTransition>[0],
  from: readonly string[],
  to: string | undefined,
): void {
  for (const state of from) if (to !== undefined && to !== state) assertTransition(table, state, to);
}
