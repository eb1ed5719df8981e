import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BrokerProcess, expectApi, startKeyloan } from "@keyloan/test-kit";
import { startLoadGenerator } from "./load.ts";
import type { LoadOrder, LoadResult } from "./load-client.ts";
import { median, type Quiet, quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

const connector = "turso";
const connections = 8;
/** As many requests as a busy platform sends, not a flood. */
const pauseMs = 14;
const warmSeconds = 4;
const slices = 10;
/** As many files as a broker makes at once. */
const downloads = 2;
const goalRatio = 2;
const startMsMax = 30_000;

// It ends at the provider, whose SQLite does not know %V, and keeps the one that makes the file busy until its time is
// over.
const endless = [
  "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3 OR strftime('%V', '2026-01-05') IS NOT NULL) SELECT i AS rowid, i AS body FROM n WHERE i < 0",
  "CREATE VIRTUAL TABLE f USING fts5(body, content='v')",
];

/** Env reads while files are made of databases whose work has no end, against the same reads just before. */
export async function measureDownloads({ folder, untilMs }: RowOptions): Promise<Row> {
  const load = startLoadGenerator();
  const broker = await startKeyloan({ in: "built", folder });
  const giveUp = new AbortController();
  try {
    const builds = await Promise.all(Array.from({ length: downloads }, () => makeEndless(broker)));
    const order = await orderOf(broker);
    await load.run({ ...order, seconds: warmSeconds });
    const before = await quietRounds(slices, untilMs - startMsMax, () => load.run(order));
    const running = builds.map((id) => download(broker, id, giveUp.signal));
    await untilMaking(join(folder, "data", "downloads"));
    const during: LoadResult[] = [];
    for (let slice = 0; slice < slices; slice++) during.push(await load.run(order));
    const ended = await Promise.race([Promise.any(running).then(() => true), delay(0, false)]);
    if (ended) throw new Error("A download that has no end has ended.");
    return toRow(before.results, during, before.quiet);
  } finally {
    giveUp.abort();
    await broker.stop();
    await load.stop();
  }
}

async function makeEndless(broker: BrokerProcess): Promise<string> {
  const body = { name: "endless", connectors: [connector] };
  const { id } = await expectApi<{ id: string }>(201, broker, "POST", "/v1/builds", body);
  const token = await tokenOf(broker, id);
  const env = await expectApi<Record<string, string>>(
    200,
    broker,
    "GET",
    `/v1/builds/${id}/env`,
    undefined,
    token,
  );
  const requests = endless.map((sql) => ({ type: "execute", stmt: { sql } }));
  const answer = await fetch(`${env.TURSO_DATABASE_URL?.replace(/^libsql/, "http")}/v2/pipeline`, {
    method: "POST",
    headers: { authorization: `Bearer ${env.TURSO_AUTH_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ requests: [...requests, { type: "close" }] }),
  });
  const text = await answer.text();
  if (answer.status !== 200 || text.includes('"error"')) throw new Error(`The database refuses it: ${text}`);
  return id;
}

async function tokenOf(broker: BrokerProcess, id: string): Promise<string> {
  const body = { ttlSeconds: 3600 };
  return (await expectApi<{ token: string }>(201, broker, "POST", `/v1/builds/${id}/tokens`, body)).token;
}

async function orderOf(broker: BrokerProcess): Promise<LoadOrder> {
  const { id } = await expectApi<{ id: string }>(201, broker, "POST", "/v1/builds", { name: "read" });
  const headers = { authorization: `Bearer ${await tokenOf(broker, id)}` };
  return { port: broker.port, path: `/v1/builds/${id}/env`, headers, connections, pauseMs, seconds: 1 };
}

async function download(broker: BrokerProcess, id: string, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${broker.adminToken}` };
  const answer = await fetch(`${broker.url}/v1/builds/${id}/databases/${connector}/download`, {
    headers,
    signal,
  });
  await answer.arrayBuffer();
}

async function untilMaking(folder: string): Promise<void> {
  const until = performance.now() + startMsMax;
  for (;;) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    if (names.filter((name) => /making-[^/]+$/.test(name)).length === downloads) return;
    if (performance.now() > until) throw new Error("The downloads do not begin.");
    await delay(20);
  }
}

function toRow(before: readonly LoadResult[], during: readonly LoadResult[], quiet: Quiet): Row {
  const p99Of = (results: readonly LoadResult[]) => median(results.map(({ p99Ms }) => p99Ms));
  const [beforeMs, duringMs] = [p99Of(before), p99Of(during)];
  const perSecond = median(during.map(({ requestsPerSecond }) => requestsPerSecond));
  const worstMs = Math.max(...during.map(({ p99Ms }) => p99Ms));
  const ratio = duringMs / beforeMs;
  return {
    work: `env fetch beside ${downloads} downloads of databases whose work has no end`,
    goal: `p99 ≤ ${goalRatio} × before`,
    reached: `${ratio.toFixed(2)} ×: p99 ${duringMs.toFixed(1)} ms, before ${beforeMs.toFixed(1)} ms`,
    met: ratio <= goalRatio,
    details: `${perSecond.toFixed(0)} reads a second, worst second p99 ${worstMs.toFixed(1)} ms`,
    quiet,
    figures: { ratio, beforeMs, duringMs, worstMs, perSecond },
  };
}
