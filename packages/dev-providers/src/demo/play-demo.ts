import { type BuildView, type Client, createClient } from "@keyloan/sdk";
import type { LaunchError } from "../launch-error.ts";
import type { Launcher, RunningKeyloan } from "../start/launcher.ts";
import { startExampleApp, useExampleApp } from "./example-app.ts";
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

/** The flow, from the start of the broker to a closed build. */
export async function playDemo(
  step: Step,
  launcher: Launcher,
  onCleanUp: (stop: () => Promise<void>) => void,
): Promise<void> {
  const running = await step("broker and stand-ins run", launcher.start, ({ url }) => url);
  const died = running.failed.then((error: LaunchError): never => {
    throw error;
  });
  died.catch(() => {});
  await Promise.race([died, play(step, running, onCleanUp)]);
}

async function play(
  step: Step,
  running: RunningKeyloan,
  onCleanUp: (stop: () => Promise<void>) => void,
): Promise<void> {
  const admin = createClient({ url: running.url, token: running.adminToken });
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
