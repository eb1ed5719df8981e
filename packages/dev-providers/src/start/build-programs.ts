import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { childEnvironment } from "../env.ts";
import { workspace } from "../workspace.ts";

/** `failed` leaves the last build, or the sources, in use. */
export type BuildOutcome = "fresh" | "built" | "failed";

type BuildPlan = {
  readonly folder: string;
  /** What Node runs, in the folder. */
  readonly command: readonly string[];
  readonly sources: readonly string[];
};

/** Builds the command line into one file, so that it also starts fast and on Node 20. */
export function buildCli(): Promise<BuildOutcome> {
  const folder = workspace.cliFolder;
  const program = join(folder, "build.ts");
  return buildIfOld({
    folder,
    command: [program],
    sources: [program, join(folder, "src"), join(workspace.contractFolder, "src")],
  });
}

/** Builds the settings page that the broker serves. */
export function buildSettingsPage(): Promise<BuildOutcome> {
  const folder = workspace.settingsPageFolder;
  return buildIfOld({
    folder,
    command: [join(folder, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "error"],
    sources: ["vite.config.ts", "index.html", "src", "public"]
      .map((name) => join(folder, name))
      .concat(join(workspace.contractFolder, "src")),
  });
}

/** Builds into `dist` when that is missing or older than its sources. */
async function buildIfOld({ folder, command, sources }: BuildPlan): Promise<BuildOutcome> {
  const newest = Math.max(...sources.flatMap(timesOf));
  const built = timesOf(join(folder, "dist"));
  if (built.length > 0 && Math.min(...built) >= newest) return "fresh";
  try {
    // Vite would keep compiled code in the shared folder for temporary files.
    const env = childEnvironment({ NODE_DISABLE_COMPILE_CACHE: "1" });
    await promisify(execFile)(process.execPath, [...command], { cwd: folder, env, timeout: 120_000 });
    return "built";
  } catch {
    return "failed";
  }
}

/** When the files of a folder, or a file, were last written, in milliseconds; none when it is not there. */
function timesOf(path: string): number[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [stats.mtimeMs];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
}
