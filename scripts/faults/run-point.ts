import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectors } from "../../packages/connectors/src/index.ts";
import { checkClosed, checkRows, checkSecrets, type Finding } from "./check.ts";
import type { Point } from "./points.ts";
import { type Run, startRun } from "./run.ts";
import type { Facts, Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

export type Outcome = {
  /** Whether the process was killed there. */
  readonly reached: boolean;
  readonly findings: readonly Finding[];
};

/** What work of the background may still pass after the client has its answer. */
const reachTimeoutMs = 10_000;

/** What a whole run of the scenario passes, undisturbed. @throws Error when even that goes wrong */
export async function recordPasses(
  world: World,
  folder: string,
  scenario: Scenario,
): Promise<Readonly<Record<string, number>>> {
  return inRun(world, folder, 1, async (run) => {
    const facts = await scenario.setUp(run);
    await run.settle();
    await run.broker().record();
    await scenario.act(run, facts);
    await run.settle();
    const passes = await run.broker().passes();
    await scenario.expect(run, facts);
    await closeAll(run);
    return passes;
  });
}

/** Kills the broker at one point of the scenario and tells what was lost or orphaned. */
export async function runPoint(
  world: World,
  folder: string,
  scenario: Scenario,
  point: Point,
  brokers: 1 | 2,
): Promise<Outcome> {
  return inRun(world, folder, brokers, async (run) => {
    const facts = await scenario.setUp(run);
    await run.settle();
    const reached = await actAndDie(run, scenario, facts, point);
    const findings: Finding[] = [];
    const attempt = async (what: string, work: () => Promise<void>) => {
      await work().catch((error: unknown) => {
        findings.push({
          kind: "lost",
          what: `${what}: ${error instanceof Error ? error.message : "failed"}`,
        });
      });
    };
    if (reached) await run.takeOver();
    await attempt("after the crash", run.settle);
    await attempt("asked again", () => scenario.act(run, facts));
    await attempt("at rest", run.settle);
    await attempt("in the end", () => scenario.expect(run, facts));
    findings.push(...(await checkRows(run)));
    findings.push(...(await checkSecrets(run, await secretsOf(run, facts))));
    await attempt("closing", () => closeAll(run));
    findings.push(...(await checkClosed(run)));
    return { reached, findings };
  });
}

async function inRun<T>(
  world: World,
  folder: string,
  brokers: 1 | 2,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const own = await mkdtemp(join(folder, "run-"));
  const run = await startRun(world, own, brokers);
  try {
    return await work(run);
  } finally {
    await run.end();
    world.forget(await world.listHeld());
    await rm(own, { recursive: true, force: true });
  }
}

/** @returns whether the broker died at the point */
async function actAndDie(run: Run, scenario: Scenario, facts: Facts, point: Point): Promise<boolean> {
  const broker = run.broker();
  await broker.killAt(point);
  const acted = scenario.act(run, facts).then(
    () => undefined,
    (error: unknown) => error,
  );
  const failure = await Promise.race([acted, broker.ended.then(() => undefined)]);
  // A cut connection is seen before the end of the process that cut it.
  if (failure !== undefined) await Promise.race([broker.ended, delay(5_000, undefined, { ref: false })]);
  if (!broker.alive()) return true;
  if (failure !== undefined) throw failure;
  // What goes on in the background has not come to the point yet.
  const settled = run.settle().catch(() => undefined);
  await Promise.race([broker.ended, settled, delay(reachTimeoutMs, undefined, { ref: false })]);
  if (broker.alive()) await broker.spare().catch(() => undefined);
  return !broker.alive();
}

async function closeAll(run: Run): Promise<void> {
  for (const { id } of run.rows<{ id: string }>("SELECT id FROM builds WHERE state <> 'closed'")) {
    await run.call("DELETE", `/v1/builds/${id}`);
  }
  await run.settle();
}

/** Every secret that this run has seen, of the org, of the build and of its user. */
async function secretsOf(run: Run, facts: Facts): Promise<ReadonlySet<string>> {
  const secretNames = new Set(
    connectors.flatMap(({ spec }) =>
      [...spec.env, ...spec.orgFields].filter(({ secret }) => secret).map(({ name }) => name),
    ),
  );
  const collect = (entries: Readonly<Record<string, string>>) =>
    Object.entries(entries).flatMap(([name, value]) =>
      secretNames.has(name.replace(/^own /, "")) && value.length >= 16 ? [value] : [],
    );
  const found = [...collect(facts.values)];
  for (const orgFields of Object.values(run.world.standIns.orgKeys)) found.push(...collect(orgFields));
  for (const { id } of run.rows<{ id: string }>("SELECT id FROM builds WHERE state = 'ready'")) {
    const answer = await run.call("GET", `/v1/builds/${id}/env`);
    if (answer.status === 200) found.push(...collect(answer.body as Record<string, string>));
  }
  return new Set([...found, run.world.adminToken]);
}
