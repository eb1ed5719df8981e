/** Where a process can be killed: the place of an await, which of its passes, and on which side of it. */
export type Point = {
  /** `file:line:column` of the await. */
  readonly place: string;
  /** 1 for the first time it is passed. */
  readonly pass: number;
  /** `begun`: what is awaited was started just now. `done`: it has ended and nothing after it has run. */
  readonly moment: "begun" | "done";
};

/** What the parent tells the instrumented process. */
export type FaultCommand =
  | { readonly fault: "record" }
  | { readonly fault: "list" }
  | { readonly fault: "kill_at"; readonly point: Point }
  | { readonly fault: "spare" }
  | { readonly fault: "advance"; readonly ms: number };

/** What it answers. */
export type FaultAnswer =
  | { readonly fault: "ready" }
  | { readonly fault: "points"; readonly passes: Readonly<Record<string, number>> };

export const pointName = ({ place, pass, moment }: Point) => `${place} pass ${pass} ${moment}`;

/**
 * The points of a recorded run: of each await its first and its last pass, which is where loops and parallel
 * work differ. What has begun has told nobody of it yet, so killing there is killing at the end of the await
 * before it; only the first await of all has none.
 */
export function pointsOf(passes: Readonly<Record<string, number>>): Point[] {
  const [first] = Object.keys(passes);
  return Object.entries(passes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([place, count]) => [
      ...(place === first ? [{ place, pass: 1, moment: "begun" } as const] : []),
      ...[...new Set([1, count])].map((pass) => ({ place, pass, moment: "done" }) as const),
    ]);
}
