import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expectApi, startChild, startKeyloan } from "@keyloan/test-kit";
import { startLoadGenerator } from "./load.ts";
import type { LoadOrder, LoadResult } from "./load-client.ts";
import { median, quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

const connections = 8;
const seconds = 3;
const warmSeconds = 5;
const rounds = 5;
const goalRatio = 0.6;
const goalPerSecond = 7_000;
const goalP99Ms = 8;

type Round = { readonly floor: LoadResult; readonly broker: LoadResult };

/** Reads one build's env from the built broker, audited, against a server that only looks up and opens. */
export async function measureEnvRead({ untilMs, folder }: RowOptions): Promise<Row> {
  const load = startLoadGenerator();
  const floorFolder = join(folder, "floor");
  await mkdir(floorFolder, { recursive: true });
  const floorServer = startChild(new URL("./floor-server.ts", import.meta.url), floorFolder);
  const broker = await startKeyloan({ in: "built", folder: join(folder, "broker") });
  try {
    const build = await expectApi<{ id: string }>(201, broker, "POST", "/v1/builds", { name: "bench" });
    const path = `/v1/builds/${build.id}`;
    const { token } = await expectApi<{ token: string }>(201, broker, "POST", `${path}/tokens`, {
      ttlSeconds: 3600,
    });
    const env = await expectApi<object>(200, broker, "GET", `${path}/env`, undefined, token);
    floorServer.send({ rows: 1000, value: JSON.stringify(env) });
    const { port } = await floorServer.next<{ port: number }>();
    const ofFloor = { port, path: "/row-500", headers: {}, connections };
    const headers = { authorization: `Bearer ${token}` };
    const ofBroker = { port: broker.port, path: `${path}/env`, headers, connections };
    // Both compile what they run often before anything counts.
    for (const order of [ofFloor, ofBroker]) await load.run({ ...order, seconds: warmSeconds });
    const { results, quiet } = await quietRounds(rounds, untilMs, (index) =>
      inTurn(index, load.run, ofFloor, ofBroker),
    );
    return toRow(results, quiet, Object.keys(env).length);
  } finally {
    await Promise.all([broker.stop(), floorServer.stop(), load.stop()]);
  }
}

/** Each contestant goes first in every other round. */
async function inTurn(
  index: number,
  run: (order: LoadOrder) => Promise<LoadResult>,
  ofFloor: Omit<LoadOrder, "seconds">,
  ofBroker: Omit<LoadOrder, "seconds">,
): Promise<Round> {
  if (index % 2 === 0) {
    const floor = await run({ ...ofFloor, seconds });
    return { floor, broker: await run({ ...ofBroker, seconds }) };
  }
  const broker = await run({ ...ofBroker, seconds });
  return { floor: await run({ ...ofFloor, seconds }), broker };
}

function toRow(results: readonly Round[], quiet: Row["quiet"], values: number): Row {
  const ratio = median(
    results.map(({ floor, broker }) => broker.requestsPerSecond / floor.requestsPerSecond),
  );
  const of = (who: keyof Round, what: keyof LoadResult) => median(results.map((round) => round[who][what]));
  const perSecond = of("broker", "requestsPerSecond");
  const p99Ms = of("broker", "p99Ms");
  return {
    work: `env fetch, ${values} values, audited, ${connections} connections`,
    goal: `≥ ${goalRatio} of the floor server; ${goalPerSecond} a second, p99 ≤ ${goalP99Ms} ms`,
    reached: `${ratio.toFixed(2)} of the floor; ${perSecond.toFixed(0)} a second, p99 ${p99Ms.toFixed(1)} ms`,
    met: ratio >= goalRatio && perSecond >= goalPerSecond && p99Ms <= goalP99Ms,
    details: `p50 ${of("broker", "p50Ms").toFixed(2)} ms; floor ${of("floor", "requestsPerSecond").toFixed(0)} a second, p50 ${of("floor", "p50Ms").toFixed(2)} ms, p99 ${of("floor", "p99Ms").toFixed(1)} ms`,
    quiet,
    figures: {
      ratio,
      perSecond,
      p50Ms: of("broker", "p50Ms"),
      p99Ms,
      floorPerSecond: of("floor", "requestsPerSecond"),
      floorP99Ms: of("floor", "p99Ms"),
    },
  };
}
