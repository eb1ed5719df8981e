import type { Ground } from "./ground.ts";
import type { Machine } from "./machine.ts";

/** What an attacker got, in a sentence; undefined when the defence held. */
export type Spoil = string | undefined;

export type Attack<Where> = { readonly id: string; readonly run: (where: Where) => Promise<Spoil> };

/**
 * Attacks of one kind. `broker`: they only speak HTTP, so they run against a broker that is given too. `machine`:
 * they need its store, its stand-ins or its code, and run against what this suite starts.
 */
export type Family =
  | {
      readonly name: string;
      readonly on: "broker";
      readonly attacks: readonly Attack<Ground>[];
    }
  | { readonly name: string; readonly on: "machine"; readonly attacks: readonly Attack<Machine>[] };

/** One attack for each row. */
export function each<Where, Row>(
  rows: Readonly<Record<string, Row>>,
  run: (where: Where, row: Row) => Promise<Spoil>,
): Attack<Where>[] {
  return Object.entries(rows).map(([id, row]) => ({ id, run: (where) => run(where, row) }));
}

/** The attacker wanted one of these; anything else held. */
export function spoilIf(got: boolean, what: string): Spoil {
  return got ? what : undefined;
}
