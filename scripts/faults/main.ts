import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { optionsOrExit } from "../options-or-exit.ts";
import { buildInstrumentedBroker } from "./build-broker.ts";
import { help, type Options, readOptions } from "./options.ts";
import { type Point, pointName, pointsOf } from "./points.ts";
import { type Outcome, recordPasses, runPoint } from "./run-point.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
import { createWorld, type World } from "./world.ts";

type Task = { readonly scenario: Scenario; readonly point: Point; readonly brokers: 1 | 2 };
type Result = Task & { readonly outcome: Outcome };

const options = optionsOrExit(readOptions, help);
const folder = await mkdtemp(join(tmpdir(), "keyloan-faults-"));
const worlds: World[] = [];
try {
  const built = join(folder, "broker");
  console.log("Building the broker with every await instrumented…");
  await buildInstrumentedBroker(built);
  // Each slot has providers of its own: what they hold in the end belongs to one run alone.
  for (let slot = 0; slot < options.parallel; slot++)
    worlds.push(await createWorld(join(folder, `slot-${slot}`), built));
  const tasks = spread(await enumerate(options), options.sample);
  const results = await runAll(tasks);
  process.exitCode = await report(results, options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await Promise.all(worlds.map((world) => world.close()));
  await rm(folder, { recursive: true, force: true });
}

/** Runs every scenario once undisturbed, and names each await that it passes. */
async function enumerate({ scenarios: names, at, brokers, part }: Options): Promise<Task[]> {
  const [world] = worlds;
  if (world === undefined) return [];
  const tasks: Task[] = [];
  for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
    const passes = await recordPasses(world, folder, scenario).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`"${scenario.name}" fails even undisturbed: ${reason}`);
    });
    const points = pointsOf(passes).filter((point) => at === undefined || pointName(point).includes(at));
    console.log(`${scenario.name}: ${Object.keys(passes).length} awaits, ${points.length} points`);
    for (const point of points) {
      const turn = tasks.length % 2 === 0 ? 1 : 2;
      tasks.push({ scenario, point, brokers: brokers === "alternate" ? turn : brokers });
    }
  }
  // By pairs, so that each part holds both ways of taking over.
  return part === undefined
    ? tasks
    : tasks.filter((_, index) => Math.floor(index / 2) % part.of === part.number - 1);
}

function spread<T>(all: readonly T[], most: number | undefined): readonly T[] {
  if (most === undefined || all.length <= most) return all;
  return Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)]).flatMap(
    (item) => (item === undefined ? [] : [item]),
  );
}

async function runAll(tasks: readonly Task[]): Promise<Result[]> {
  const waiting = [...tasks];
  const results: Result[] = [];
  const began = performance.now();
  await Promise.all(
    worlds.map(async (world) => {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
        const outcome = await runPoint(world, folder, task.scenario, task.point, task.brokers).catch(broken);
        results.push({ ...task, outcome });
        tell(results, tasks.length, performance.now() - began);
      }
    }),
  );
  return results;
}

/** The suite itself failed at a point: that proves nothing, and counts as lost. */
function broken(error: unknown): Outcome {
  const what = error instanceof Error ? error.message : String(error);
  return { reached: false, findings: [{ kind: "lost", what: `the run broke off: ${what}` }] };
}

function tell(results: readonly Result[], total: number, ms: number): void {
  const last = results.at(-1);
  if (last !== undefined && last.outcome.findings.length > 0) {
    console.log(`\n${nameOf(last)}`);
    for (const { kind, what } of last.outcome.findings) console.log(`  ${kind}: ${what}`);
  }
  if (process.stdout.isTTY) {
    const left = Math.round(((ms / results.length) * (total - results.length)) / 1000);
    process.stdout.write(`\r${results.length} of ${total}, about ${left} s left   `);
  } else if (results.length % 50 === 0) {
    console.log(`${results.length} of ${total} after ${Math.round(ms / 1000)} s`);
  }
}

function nameOf({ scenario, point, brokers }: Task): string {
  return `${scenario.name}, ${brokers === 1 ? "one broker" : "two brokers"}: ${pointName(point)}`;
}

/** Writes every point with what came of it. @returns the exit code */
async function report(results: readonly Result[], { report: file }: Options): Promise<number> {
  const count = (kind: string) =>
    results.filter(({ outcome }) => outcome.findings.some((finding) => finding.kind === kind)).length;
  const killed = results.filter(({ outcome }) => outcome.reached).length;
  const summary = `points ${killed}, lost ${count("lost")}, orphaned ${count("orphaned")}`;
  const lines = results.flatMap((result) => {
    const { reached, findings } = result.outcome;
    const verdict = findings.length > 0 ? "BROKEN" : reached ? "ok" : "not passed";
    return [`${verdict}  ${nameOf(result)}`, ...findings.map(({ kind, what }) => `    ${kind}: ${what}`)];
  });
  await writeFile(file, [...lines.toSorted(), summary, ""].join("\n"));
  const passed = results.length - killed;
  console.log(
    `\nEvery point is named in ${file}.${passed === 0 ? "" : ` ${passed} were not passed again in their run, which then ended undisturbed.`}`,
  );
  console.log(summary);
  return results.some(({ outcome }) => outcome.findings.length > 0) || killed === 0 ? 1 : 0;
}
