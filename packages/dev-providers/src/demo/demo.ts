import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findChromium } from "@keyloan/test-kit/chromium";
import { LaunchError } from "../launch-error.ts";
import { onStopSignal } from "../processes/stop-signals.ts";
import { buildCli, buildSettingsPage } from "../start/build-programs.ts";
import { createLauncher } from "../start/launcher.ts";
import type { Terminal } from "../terminal.ts";
import { playDemo } from "./play-demo.ts";
import { createStep } from "./steps.ts";

const noBrowser = {
  page: "NO SETTINGS PAGE: it could not be built (try `pnpm build`); its calls are made over HTTP instead.",
  browser:
    "NO BROWSER: no Chromium is used here (CHROMIUM_PATH names one); the page's calls are made over HTTP.",
};

const settleMsMax = 10_000;

/**
 * The whole flow once, unattended, in a folder of its own and on free ports.
 * @returns the exit code
 * @throws LaunchError that names the step which failed; nothing is left running
 */
export async function demo(terminal: Terminal): Promise<number> {
  const startedAt = performance.now();
  const step = createStep(terminal);
  const [, page] = await step("the command line and the settings page are built", () =>
    Promise.all([buildCli(), buildSettingsPage()]),
  );
  const chromium = await step("a browser is looked for", async () =>
    page === "failed" ? undefined : findChromium(),
  );
  if (chromium === undefined) {
    terminal.line(terminal.paint("bold", noBrowser[page === "failed" ? "page" : "browser"]));
  }
  process.umask(0o077);
  const homePath = await step("a folder is made for the demo", async () =>
    mkdtempSync(join(tmpdir(), "keyloan-demo-")),
  );
  const launcher = createLauncher({ homePath, port: 0, progress: () => {} });
  const cleanups: (() => Promise<void>)[] = [];
  let ending = false;
  const onCleanUp = (stop: () => Promise<void>) => {
    cleanups.push(stop);
    // The play goes on for a moment after it was interrupted, and may start something more.
    if (ending) void runCleanups();
  };
  const runCleanups = async () => {
    for (const stop of cleanups.splice(0)) await stop();
  };
  const cleanUp = async () => {
    ending = true;
    await runCleanups();
    await launcher.stop();
    await Promise.race([playing.catch(() => {}), delay(settleMsMax, undefined, { ref: false })]);
    await runCleanups();
    rmSync(homePath, { recursive: true, force: true, maxRetries: 5 });
  };
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(new LaunchError("The demo was interrupted."));
    onStopSignal(stop, () => void launcher.stop(true).finally(() => process.exit(130)));
  });
  const playing = playDemo({ step, launcher, homePath, chromium, onCleanUp });
  try {
    await Promise.race([interrupted, playing]);
  } catch (error) {
    await cleanUp();
    throw error;
  }
  await step("everything is stopped and the folder is removed", cleanUp);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  terminal.line(terminal.paint("bold", `The whole flow works (${seconds} s).`));
  return 0;
}
