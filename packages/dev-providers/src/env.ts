import { resolve } from "node:path";
import { LaunchError } from "./launch-error.ts";
import { workspace } from "./workspace.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type LauncherSettings = {
  /** Absolute; where everything is kept. */
  readonly home: string;
  /** The broker's port; 0 picks a free one. */
  readonly port: number;
  /** Whether a package manager's script started this process and waits for it. */
  readonly startedByScript: boolean;
};

const portDefault = 8787;
const inherited = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "KEYLOAN_LOG_LEVEL"];

/**
 * What the environment sets for the launcher.
 * @throws LaunchError when PORT is no port
 */
export function readSettings(environment: Environment = process.env): LauncherSettings {
  const port = environment.PORT?.trim() || String(portDefault);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new LaunchError("PORT must be a number from 0 to 65535; 0 picks a free port.", { exitCode: 2 });
  }
  return {
    home: resolve(workspace.root, environment.KEYLOAN_HOME?.trim() || ".keyloan"),
    port: Number(port),
    startedByScript: environment.npm_lifecycle_event !== undefined,
  };
}

/** Whether the environment leaves colours to a terminal. */
export function allowsColour(environment: Environment = process.env): boolean {
  return !environment.NO_COLOR && environment.TERM !== "dumb";
}

/**
 * The environment of a child process: what a program needs of a machine, and `own`. Nothing else comes
 * along, so that neither a proxy nor a KEYLOAN_ variable of this terminal changes what it does.
 */
export function childEnvironment(
  own: Readonly<Record<string, string>>,
  environment: Environment = process.env,
): Record<string, string> {
  const base = inherited.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(base), ...own };
}
