import type { Quiet } from "./quiet.ts";

/** One goal and what was reached. */
export type Row = {
  readonly work: string;
  readonly goal: string;
  readonly reached: string;
  readonly met: boolean;
  /** Absolute figures, for people. */
  readonly details: string;
  readonly quiet: Quiet;
  /** The same as numbers, for programs. */
  readonly figures: Readonly<Record<string, number>>;
};

export type RowOptions = {
  /** When to stop repeating rounds, by performance.now(). */
  readonly untilMs: number;
  /** A folder that the row may fill; removed by the caller. */
  readonly folder: string;
};
