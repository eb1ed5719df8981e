import { generateKeyPairSync, randomUUID } from "node:crypto";
import { join } from "node:path";
import { expectApi, startKeyloan } from "@keyloan/test-kit";
import { startLibsqlServer } from "../../packages/local-servers/src/index.ts";
import { median, quietRounds } from "./quiet.ts";
import type { Row, RowOptions } from "./row.ts";

const atOnce = 8;
const rounds = 5;
const buildsPerRound = 64;
const namespacesPerRound = 256;
const goalRatio = 0.5;

type Round = { readonly namespacesPerSecond: number; readonly buildsPerSecond: number };

/** Builds with every connector, against making bare namespaces on a libSQL server of the same kind. */
export async function measureBuildIssue({ untilMs, folder }: RowOptions): Promise<Row> {
  const server = await startLibsqlServer({ dataDirectory: join(folder, "raw") });
  const broker = await startKeyloan({ in: "built", folder: join(folder, "broker") });
  try {
    const jwtKey = newPublicKey();
    const makeNamespace = () => server.admin.create(`ns-${randomUUID()}`, { jwtKey });
    const makeBuild = async () => {
      const made = await expectApi<{ state: string }>(201, broker, "POST", "/v1/builds", { name: "bench" });
      if (made.state !== "ready") throw new Error(`a build is ${made.state}`);
    };
    await perSecond(32, makeNamespace);
    await perSecond(16, makeBuild);
    const { results, quiet } = await quietRounds(rounds, untilMs, (index) =>
      inTurn(
        index,
        () => perSecond(namespacesPerRound, makeNamespace),
        () => perSecond(buildsPerRound, makeBuild),
      ),
    );
    return toRow(results, quiet);
  } finally {
    await Promise.all([broker.stop(), server.close()]);
  }
}

/** Each contestant goes first in every other round. */
async function inTurn(
  index: number,
  namespaces: () => Promise<number>,
  builds: () => Promise<number>,
): Promise<Round> {
  if (index % 2 === 0) {
    const namespacesPerSecond = await namespaces();
    return { namespacesPerSecond, buildsPerSecond: await builds() };
  }
  const buildsPerSecond = await builds();
  return { namespacesPerSecond: await namespaces(), buildsPerSecond };
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  let left = count;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left--;
        await work();
      }
    }),
  );
  return (count * 1000) / (performance.now() - started);
}

function newPublicKey(): string {
  const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  if (x === undefined) throw new Error("an Ed25519 public key has no x");
  return x;
}

function toRow(results: readonly Round[], quiet: Row["quiet"]): Row {
  const ratio = median(results.map((round) => round.buildsPerSecond / round.namespacesPerSecond));
  const buildsPerSecond = median(results.map((round) => round.buildsPerSecond));
  const namespacesPerSecond = median(results.map((round) => round.namespacesPerSecond));
  return {
    work: `build with all connectors on the real libSQL server, ${atOnce} at a time`,
    goal: `≥ ${goalRatio} of the raw namespace-create rate`,
    reached: `${ratio.toFixed(2)} of the raw rate`,
    met: ratio >= goalRatio,
    details: `${buildsPerSecond.toFixed(0)} builds a second, ${namespacesPerSecond.toFixed(0)} bare namespaces a second`,
    quiet,
    figures: { ratio, buildsPerSecond, namespacesPerSecond },
  };
}
