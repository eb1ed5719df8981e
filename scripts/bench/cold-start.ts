import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { builtFolder, newConfiguration, programIn, startBrokerProcess } from "@keyloan/test-kit";
import { median, quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

const rounds = 15;
const goalRatio = 5;
const goalMegabytes = 130;

type Round = { readonly nodeMs: number; readonly brokerMs: number; readonly megabytes: number };

/** From the start of the process until `/health/ready` has answered, on a store that exists. */
export async function measureColdStart({ untilMs, folder }: RowOptions): Promise<Row> {
  const data = join(folder, "data");
  await mkdir(data, { recursive: true });
  const environment = newConfiguration(data);
  // The first start makes the store and fills the caches of the disk.
  await measureOnce(environment);
  const { results, quiet } = await quietRounds(rounds, untilMs, () => measureOnce(environment));
  const of = (what: keyof Round) => median(results.map((round) => round[what]));
  const ratio = median(results.map(({ brokerMs, nodeMs }) => brokerMs / nodeMs));
  const megabytes = of("megabytes");
  return {
    work: "broker cold start to ready, migrations checked",
    goal: `≤ ${goalRatio} × node -e 0; ≤ ${goalMegabytes} MB after start`,
    reached: `${ratio.toFixed(2)} × node -e 0; ${megabytes.toFixed(0)} MB`,
    met: ratio <= goalRatio && megabytes <= goalMegabytes,
    details: `broker ${of("brokerMs").toFixed(0)} ms, node -e 0 ${of("nodeMs").toFixed(0)} ms`,
    quiet,
    figures: { ratio, brokerMs: of("brokerMs"), nodeMs: of("nodeMs"), megabytes },
  };
}

async function measureOnce(environment: Readonly<Record<string, string>>): Promise<Round> {
  const started = performance.now();
  spawnSync(process.execPath, ["-e", "0"], { env: {} });
  const between = performance.now();
  const broker = await startBrokerProcess(programIn(builtFolder), environment);
  const status = await statusOf(broker.port, "/health/ready");
  const ended = performance.now();
  const megabytes = residentMegabytes(broker.process.pid);
  await broker.stop();
  if (status !== 200) throw new Error(`/health/ready answered ${status}`);
  return { nodeMs: between - started, brokerMs: ended - between, megabytes };
}

function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    }).once("error", reject);
  });
}

/** Linux tells it in /proc, other systems by `ps`. */
function residentMegabytes(pid: number | undefined): number {
  if (process.platform === "linux") {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  }
  return Number(spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).stdout) / 1024;
}
