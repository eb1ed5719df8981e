import { join } from "node:path";
import { expectApi, startKeyloan, startStandIns } from "@keyloan/test-kit";
import type { RunningEmulator } from "../../packages/connectors/src/emulators.ts";
import { connectors } from "../../packages/connectors/src/index.ts";
import { watchCalls } from "./call-times.ts";
import { median, percentile, quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

const answerMs = 300;
const rounds = 15;
const goalMs = 10;
const callsMax = 10_000;
const warmBuilds = 150;

type Round = { readonly totalMs: number; readonly chainMs: number };

/** The time of a whole build less the longest chain of provider calls: what the broker itself adds to waiting. */
export async function measureIssueShare({ untilMs, folder }: RowOptions): Promise<Row> {
  // In this process, where each of their answers can be timed. They have little to do here.
  const standIns = await startStandIns(join(folder, "stand-ins"));
  const broker = await startKeyloan({ in: "built", folder, standIns });
  const calls = watchCalls();
  const makeBuild = async (): Promise<Round> => {
    calls.take();
    const started = performance.now();
    await expectApi(201, broker, "POST", "/v1/builds", { name: "bench" });
    const totalMs = performance.now() - started;
    return { totalMs, chainMs: longestChainMs(calls.take(), standIns.emulators) };
  };
  try {
    // A broker that has worked for a while has compiled what it runs often.
    for (let warm = 0; warm < warmBuilds; warm++) await makeBuild();
    for (const { faults } of standIns.emulators.values()) {
      faults.add({ kind: "delay", ms: answerMs }, callsMax);
    }
    const { results, quiet } = await quietRounds(rounds, untilMs, makeBuild);
    const shares = results.map(({ totalMs, chainMs }) => totalMs - chainMs);
    const p50Ms = median(shares);
    const totalMs = median(results.map((round) => round.totalMs));
    const chainMs = median(results.map((round) => round.chainMs));
    return {
      work: `broker's own share of an issue, stand-ins answering in ${answerMs} ms`,
      goal: `p50 ≤ ${goalMs} ms`,
      reached: `p50 ${p50Ms.toFixed(1)} ms`,
      met: p50Ms <= goalMs,
      details: `total ${totalMs.toFixed(0)} ms, longest chain ${chainMs.toFixed(0)} ms, p90 of the share ${percentile(shares, 0.9).toFixed(1)} ms`,
      quiet,
      figures: { p50Ms, totalMs, chainMs, p90Ms: percentile(shares, 0.9) },
    };
  } finally {
    calls.stop();
    await broker.stop();
    await standIns.close();
  }
}

/** A port that is no stand-in's own belongs to a database just made: its first answer is part of that chain. */
function longestChainMs(
  spent: ReadonlyMap<number, number>,
  emulators: ReadonlyMap<string, RunningEmulator>,
): number {
  const standInPorts = new Set([...emulators.values()].map(({ port }) => port));
  const atDatabases = [...spent].filter(([port]) => !standInPorts.has(port));
  const databaseMs = atDatabases.reduce((sum, [, ms]) => sum + ms, 0);
  const chains = connectors.map(({ spec, database }) => {
    const own = spent.get(emulators.get(spec.id)?.port ?? 0) ?? 0;
    return own + (database === undefined ? 0 : databaseMs);
  });
  return Math.max(...chains);
}
