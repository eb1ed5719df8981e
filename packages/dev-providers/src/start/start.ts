import { existsSync } from "node:fs";
import type { LauncherSettings } from "../env.ts";
import { writePrivateFile } from "../home/private-file.ts";
import { LaunchError } from "../launch-error.ts";
import { onStopSignal } from "../processes/stop-signals.ts";
import { onAncestorEnd } from "../processes/watch-ancestors.ts";
import type { Terminal } from "../terminal.ts";
import { buildCli, buildSettingsPage } from "./build-programs.ts";
import { createLauncher } from "./launcher.ts";
import { renderScreen } from "./screen.ts";

/**
 * Starts everything, prints the screen, and runs until a signal or the end of a child.
 * @returns the exit code
 * @throws LaunchError when it cannot start or a child ended; nothing is left running
 */
export async function start(settings: LauncherSettings, terminal: Terminal): Promise<number> {
  const progress = (step: string) => terminal.line(terminal.paint("dim", `${step}…`));
  progress("Preparing the command line and the settings page");
  const [built, page] = await Promise.all([buildCli(), buildSettingsPage()]);
  // From here on, whatever this process and its children write is for their owner alone.
  process.umask(0o077);
  const launcher = createLauncher({ homePath: settings.home, port: settings.port, progress });
  const stopAsked = new Promise<"asked">((resolve) => {
    const stop = () => resolve("asked");
    onStopSignal(stop, () => void launcher.stop(true).finally(() => process.exit(130)));
    if (settings.startedByScript) void onAncestorEnd(stop);
  });
  try {
    const running = await Promise.race([launcher.start(), stopAsked]);
    if (running !== "asked") {
      if (!existsSync(running.buildFile)) writePrivateFile(running.buildFile, "");
      terminal.line(`\n${renderScreen(running, terminal.paint)}`);
      if (built === "failed") terminal.line(terminal.paint("dim", "The command line runs from its sources."));
      if (page === "failed") terminal.line("The settings page could not be built: try `pnpm build`.");
      const end = await Promise.race([running.failed, stopAsked]);
      if (end instanceof LaunchError) throw end;
    }
    terminal.line(`\n${terminal.paint("dim", "Stopping…")}`);
    return 0;
  } finally {
    await launcher.stop();
  }
}
