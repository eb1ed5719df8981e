import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type BrokerProcess,
  builtFolder,
  expectApi,
  programIn,
  startBrokerProcess,
  startKeyloan,
  startStandInsProcess,
} from "@keyloan/test-kit";
import { openStore } from "../../packages/store/src/index.ts";
import { type LoadGenerator, startLoadGenerator } from "./load.ts";
import type { LoadOrder, LoadResult } from "./load-client.ts";
import { median, type Quiet, quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

const builds = 3_300;
const databases = 100;
const lightConnectors = ["app-secrets", "clerk", "stripe"];
const leases = builds * lightConnectors.length + databases;
const atOnce = 8;
const connections = 8;
/** Together the connections ask about 500 times a second: a busy platform, not a flood. */
const pauseMs = 14;
const warmSeconds = 4;
const slicesBefore = 8;
const secondsForNoise = 10;
const slicesMax = 180;
const goalRatio = 2;

type Measured = {
  readonly before: readonly LoadResult[];
  readonly during: readonly LoadResult[];
  readonly drainSeconds: number;
  /** Of the seconds before; those during cannot be repeated. */
  readonly quiet: Quiet;
};

/** Env reads while 10,000 leases end at once, against the same reads just before. */
export async function measureExpiries({ folder }: RowOptions): Promise<Row> {
  const standIns = await startStandInsProcess(join(folder, "stand-ins"));
  const load = startLoadGenerator();
  let broker: BrokerProcess | undefined;
  try {
    const first = await startKeyloan({ in: "built", folder, standIns: standIns.keys });
    broker = first;
    const ids = await fill(broker);
    await broker.stop();
    const expiresAt = Date.now() + (warmSeconds + slicesBefore + secondsForNoise) * 1000;
    await setExpiries(first.environment.KEYLOAN_DATA_DIR ?? "", ids, expiresAt);
    broker = await startBrokerProcess(programIn(builtFolder), first.environment);
    return toRow(await measure(broker, load, expiresAt));
  } finally {
    await broker?.stop();
    await Promise.all([standIns.stop(), load.stop()]);
  }
}

async function fill(broker: BrokerProcess): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const makeSome = async () => {
    for (let index = next++; index < builds; index = next++) {
      const connectors = index < databases ? [...lightConnectors, "turso"] : lightConnectors;
      const body = { name: "expiring", connectors };
      ids.push((await expectApi<{ id: string }>(201, broker, "POST", "/v1/builds", body)).id);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, makeSome));
  return ids;
}

/** No request can make builds expire together, or soon, so the store is told while no broker runs on it. */
async function setExpiries(data: string, ids: readonly string[], expiresAt: number): Promise<void> {
  const store = await openStore({ path: join(data, "keyloan.db") });
  await Promise.all(
    ids.map((id) =>
      store.write([], async (tables) => {
        await tables.builds.setExpiry(id, expiresAt);
        await tables.endings.setExpiry(id, expiresAt);
      }),
    ),
  );
  await store.close();
}

async function measure(broker: BrokerProcess, load: LoadGenerator, expiresAt: number): Promise<Measured> {
  const { id } = await expectApi<{ id: string }>(201, broker, "POST", "/v1/builds", { name: "living" });
  const path = `/v1/builds/${id}`;
  const { token } = await expectApi<{ token: string }>(201, broker, "POST", `${path}/tokens`, {
    ttlSeconds: 3600,
  });
  const headers = { authorization: `Bearer ${token}` };
  const order: LoadOrder = {
    port: broker.port,
    path: `${path}/env`,
    headers,
    connections,
    pauseMs,
    seconds: 1,
  };
  await load.run({ ...order, seconds: warmSeconds });
  const quietUntil = performance.now() + expiresAt - Date.now() - 2_000;
  const before = await quietRounds(slicesBefore, quietUntil, () => load.run(order));
  await delay(Math.max(0, expiresAt - Date.now()));
  const during: LoadResult[] = [];
  while (!(await isDrained(broker))) {
    if (during.length === slicesMax) throw new Error("The leases do not end.");
    during.push(await load.run(order));
  }
  const drainSeconds = (Date.now() - expiresAt) / 1000;
  return { before: before.results, during, drainSeconds, quiet: before.quiet };
}

async function isDrained(broker: BrokerProcess): Promise<boolean> {
  type Page = { readonly builds: readonly { readonly name: string }[] };
  for (const state of ["ready", "closing"]) {
    const page = await expectApi<Page>(200, broker, "GET", `/v1/builds?state=${state}&limit=2`);
    if (page.builds.some(({ name }) => name === "expiring")) return false;
  }
  return true;
}

function toRow({ before, during, drainSeconds, quiet }: Measured): Row {
  const p99Of = (slices: readonly LoadResult[]) => median(slices.map(({ p99Ms }) => p99Ms));
  const perSecond = median(during.map(({ requestsPerSecond }) => requestsPerSecond));
  const [beforeMs, duringMs] = [p99Of(before), p99Of(during)];
  const worstMs = Math.max(...during.map(({ p99Ms }) => p99Ms));
  const ratio = duringMs / beforeMs;
  return {
    work: `env fetch while ${leases} leases of ${builds} builds expire at once`,
    goal: `p99 ≤ ${goalRatio} × before`,
    reached: `${ratio.toFixed(2)} ×: p99 ${duringMs.toFixed(1)} ms, before ${beforeMs.toFixed(1)} ms`,
    met: ratio <= goalRatio,
    details: `all ended at their providers after ${drainSeconds.toFixed(0)} s; ${perSecond.toFixed(0)} reads a second, worst second p99 ${worstMs.toFixed(1)} ms`,
    quiet,
    figures: { ratio, beforeMs, duringMs, worstMs, drainSeconds, perSecond },
  };
}
