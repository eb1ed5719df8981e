import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LaunchError } from "../launch-error.ts";
import { onStopSignal } from "../processes/stop-signals.ts";
import { buildCli } from "../start/build-programs.ts";
import { createLauncher } from "../start/launcher.ts";
import type { Terminal } from "../terminal.ts";
import { playDemo } from "./play-demo.ts";
import { createStep } from "./steps.ts";

/**
 * The whole flow once, unattended, in a folder of its own and on free ports.
 * @returns the exit code
 * @throws LaunchError that names the step which failed; nothing is left running
 */
export async function demo(terminal: Terminal): Promise<number> {
  const startedAt = performance.now();
  const step = createStep(terminal);
  await step("the command line is built", buildCli);
  process.umask(0o077);
  const homePath = await step("a folder is made for it", async () =>
    mkdtempSync(join(tmpdir(), "keyloan-demo-")),
  );
  const launcher = createLauncher({ homePath, port: 0, progress: () => {} });
  const cleanups: (() => Promise<void>)[] = [];
  const cleanUp = async () => {
    for (const stop of cleanups.splice(0)) await stop();
    await launcher.stop();
    rmSync(homePath, { recursive: true, force: true });
  };
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(new LaunchError("The demo was interrupted."));
    onStopSignal(stop, () => void launcher.stop(true).finally(() => process.exit(130)));
  });
  try {
    await Promise.race([
      interrupted,
      playDemo(step, launcher, (stop) => {
        cleanups.push(stop);
      }),
    ]);
  } catch (error) {
    await cleanUp();
    throw error;
  }
  await step("everything is stopped and the folder is removed", cleanUp);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  terminal.line(terminal.paint("bold", `The whole flow works (${seconds} s).`));
  return 0;
}
