import { fork, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

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
  const server = fork(pathOf("src/testing/serve-fake-broker.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      server.once("message", (message) => resolve(String(message)));
      server.once("exit", () => reject(new Error("the loopback broker ended at its start")));
    });
    const { adminToken, sampleBuildId } = await import("../../packages/cli/src/testing/samples.ts");
    const env = { ...process.env, KEYLOAN_URL: url, KEYLOAN_TOKEN: adminToken };
    const run = [pathOf("bin/keyloan.mjs"), "run", "--build", sampleBuildId, "--", "true"];
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
    server.kill();
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
