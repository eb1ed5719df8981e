import { measureCliStart } from "./cli-start.ts";
import { quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

/** `keyloan run -- true` with its fetch over the network, against starting Node and nothing else. */
export async function measureCli({ untilMs }: RowOptions): Promise<Row> {
  const { results, quiet } = await quietRounds(3, untilMs, () => measureCliStart(15));
  // The middle round as a whole, so that its times belong to its ratio.
  const middle = [...results].sort((left, right) => left.ratio - right.ratio)[Math.floor(results.length / 2)];
  if (middle === undefined) throw new Error("no round was measured");
  const { ratio, goal, runMs, nodeMs } = middle;
  return {
    work: "keyloan run -- true, network fetch included",
    goal: `≤ ${goal} × node -e 0`,
    reached: `${ratio.toFixed(2)} × node -e 0`,
    met: ratio <= goal,
    details: `keyloan ${runMs.toFixed(0)} ms, node -e 0 ${nodeMs.toFixed(0)} ms`,
    quiet,
    figures: { ratio, runMs, nodeMs },
  };
}
