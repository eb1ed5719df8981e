import { type BuildView, type Client, createClient } from "@keyloan/sdk";
import type { LaunchError } from "../launch-error.ts";
import type { Launcher } from "../start/launcher.ts";
import { playData } from "./data/play-data.ts";
import { startExampleApp, useExampleApp } from "./example-app.ts";
import { type HandoffStage, playHandoff } from "./handoff/play-handoff.ts";
import { proveClosed } from "./prove-closed.ts";
import { proveIsolation } from "./prove-isolation.ts";
import { must, type Step } from "./steps.ts";

/** A build as its sandbox sees it. */
export type DemoBuild = {
  readonly name: string;
  readonly view: BuildView;
  /** Reads this build's env and nothing else. */
  readonly sandbox: Client;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
};

export type DemoStage = Omit<HandoffStage, "running" | "admin"> & { readonly launcher: Launcher };

/** The flow, from the start of the broker to a build that lives on without it. */
export async function playDemo({ launcher, ...stage }: DemoStage): Promise<void> {
  const { step } = stage;
  const running = await step("broker and stand-ins run", launcher.start, ({ url }) => url);
  const died = running.failed.then((error: LaunchError): never => {
    throw error;
  });
  died.catch(() => {});
  const admin = createClient({ url: running.url, token: running.adminToken });
  await Promise.race([died, play({ ...stage, running, admin })]);
}

async function play(stage: HandoffStage): Promise<void> {
  const { step, running, admin, onCleanUp } = stage;
  const [viewA, viewB] = await step(
    "two builds",
    () => Promise.all([createBuild(admin, "A"), createBuild(admin, "B")]),
    (views) => views.map(({ id }) => id).join(" and "),
  );
  const [a, b] = await step("each gets a token for its own env", () =>
    Promise.all([openBuild(running.url, admin, viewA), openBuild(running.url, admin, viewB)]),
  );
  for (const build of [a, b]) await useBuild(step, running.url, build, onCleanUp);
  await proveIsolation(step, a, b);
  await proveClosed(step, admin, a, b);
  await playHandoff(stage, b);
  const viewC = await step(
    "one more build",
    () => createBuild(admin, "C"),
    ({ id }) => id,
  );
  const c = await openBuild(running.url, admin, viewC);
  await useBuild(step, running.url, c, onCleanUp);
  await playData(stage, c);
}

async function createBuild(admin: Client, name: string): Promise<BuildView> {
  const build = await admin.builds.create({ name });
  const problems = build.leases.flatMap(({ connector, error }) =>
    error === undefined ? [] : [`${connector}: ${error.message} ${error.remedy}`],
  );
  must(build.state === "ready", `${build.id} is ${build.state}. ${problems.join(" ")}`);
  return build;
}

async function openBuild(url: string, admin: Client, view: BuildView): Promise<DemoBuild> {
  const { token } = await admin.builds.createToken(view.id, { ttlSeconds: 600 });
  const sandbox = createClient({ url, token });
  return { name: view.name, view, sandbox, token, env: await sandbox.builds.env(view.id) };
}

async function useBuild(
  step: Step,
  brokerUrl: string,
  { name, view, token }: DemoBuild,
  onCleanUp: (stop: () => Promise<void>) => void,
): Promise<void> {
  const app = await step(
    `keyloan run starts the example app in ${name}`,
    () => startExampleApp({ brokerUrl, buildId: view.id, token }),
    ({ url }) => url,
  );
  onCleanUp(app.stop);
  await step(
    `its database, storage, auth and payments work`,
    () => useExampleApp(app),
    (count) => `${count} checks`,
  );
}
