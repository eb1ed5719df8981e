import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expectApi, startKeyloan } from "@keyloan/test-kit";

const roundsDefault = 41;
const goal = 1.8;

export type CliStart = {
  readonly name: string;
  /** Median of `keyloan run -- true` over the median of `node -e 0`. */
  readonly ratio: number;
  readonly goal: number;
  readonly met: boolean;
  readonly nodeMs: number;
  readonly runMs: number;
  readonly rounds: number;
};

const pathOf = (relative: string) =>
  fileURLToPath(new URL(`../../packages/cli/${relative}`, import.meta.url));

/**
 * How long `keyloan run -- true` takes, fetching the env over the network included, against starting
 * Node and nothing else. Both take turns, so that a busy machine slows both.
 * @throws Error when the command line is not built or does not work
 */
export async function measureCliStart(rounds = roundsDefault): Promise<CliStart> {
  if (!existsSync(pathOf("dist/cli.mjs"))) {
    throw new Error("keyloan is not built: run `pnpm build` before measuring it");
  }
  const folder = await mkdtemp(join(tmpdir(), "keyloan-cli-start-"));
  const broker = await startKeyloan({ in: "child", folder, standIns: { urls: {}, orgKeys: {} } });
  try {
    const body = { name: "measured", connectors: ["app-secrets"] };
    const build = await expectApi<{ readonly id: string }>(201, broker, "POST", "/v1/builds", body);
    const env = { ...process.env, KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken };
    const run = [pathOf("bin/keyloan.mjs"), "run", "--build", build.id, "--", "true"];
    const times = { node: [] as number[], run: [] as number[] };
    for (let round = -3; round < rounds; round += 1) {
      const node = timed(["-e", "0"], env);
      const whole = timed(run, env);
      // The first rounds fill the caches of the disk and of the compiler.
      if (round < 0) continue;
      times.node.push(node);
      times.run.push(whole);
    }
    const [nodeMs, runMs] = [median(times.node), median(times.run)];
    const ratio = runMs / nodeMs;
    return {
      name: "keyloan run -- true ÷ node -e 0",
      ratio,
      goal,
      met: ratio <= goal,
      nodeMs,
      runMs,
      rounds,
    };
  } finally {
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function timed(args: readonly string[], env: NodeJS.ProcessEnv): number {
  const before = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}`);
  return Number(process.hrtime.bigint() - before) / 1e6;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

if (import.meta.main) console.log(JSON.stringify(await measureCliStart(), null, 2));
