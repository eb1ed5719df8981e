import { join } from "node:path";
import { providerUrlVariable } from "@keyloan/contract";
import { createClient } from "@keyloan/sdk";
import { ensureSecrets } from "../home/ensure-secrets.ts";
import { type Home, openHome } from "../home/open-home.ts";
import { readJsonFile, writePrivateFile } from "../home/private-file.ts";
import { forgetRunning, waitForOrphans, writeRunning } from "../home/running.ts";
import { LaunchError } from "../launch-error.ts";
import { firstPortOf, isPortFree } from "../processes/free-port.ts";
import { portsSchema, type ServedProvider } from "../processes/messages.ts";
import { type Child, startChild } from "../processes/start-child.ts";
import { workspace } from "../workspace.ts";
import { putOrgKeys } from "./put-org-keys.ts";

export type LauncherOptions = {
  readonly homePath: string;
  /** The broker's port; 0 picks a free one. */
  readonly port: number;
  /** Told each step before it is taken. */
  readonly progress: (step: string) => void;
};

/** A broker with its stand-ins, ready to be used. */
export type RunningKeyloan = {
  readonly url: string;
  readonly adminToken: string;
  readonly adminTokenFile: string;
  readonly buildFile: string;
  readonly providers: readonly Pick<ServedProvider, "id" | "label" | "baseUrl" | "notice">[];
  /** By connector id what another person would type for an account of their own. */
  readonly createUserEnvs: () => Promise<Readonly<Record<string, Readonly<Record<string, string>>>>>;
  /** Settles when a child has ended by itself. */
  readonly failed: Promise<LaunchError>;
};

export type Launcher = {
  /** @throws LaunchError; whatever was started by then runs until `stop` */
  readonly start: () => Promise<RunningKeyloan>;
  /** Ends every child, in order; `now` kills them. Also while `start` is under way. */
  readonly stop: (now?: boolean) => Promise<void>;
};

/** Starts the stand-ins and the broker on 127.0.0.1 as children of this process. */
export function createLauncher(options: LauncherOptions): Launcher {
  const children: Child[] = [];
  let home: Home | undefined;
  let stopping = false;
  const start = async (): Promise<RunningKeyloan> => {
    options.progress(`Opening ${options.homePath}`);
    home = openHome(options.homePath);
    await waitForOrphans(home.runningFile);
    const { adminToken } = await ensureSecrets(home);
    if (options.port !== 0 && !(await isPortFree(options.port))) throw portTaken(options.port);
    const addChild = (child: Child) => {
      children.push(child);
      if (stopping) void child.stop(true);
      recordRunning(home, children);
      return child;
    };
    options.progress("Starting the stand-ins");
    const providers = await startProviders(home, addChild);
    options.progress("Starting the broker");
    const url = await startBroker(home, options.port, providers, addChild);
    recordRunning(home, children, url);
    options.progress("Giving the broker the stand-ins' keys");
    await putOrgKeys(createClient({ url, token: adminToken }), providers, home.orgKeysFile);
    const failed = Promise.race(children.map(({ ended }) => ended));
    const { adminTokenFile, buildFile } = home;
    const [standIns] = children;
    const createUserEnvs = async () => {
      const message = await standIns?.ask({ kind: "create-user-envs" });
      if (message?.kind !== "user-envs")
        throw new LaunchError("The stand-ins' process gave an unexpected message.");
      return message.envs;
    };
    return { url, adminToken, adminTokenFile, buildFile, providers, createUserEnvs, failed };
  };
  const stop = async (now = false) => {
    stopping = true;
    // The broker first: it may still have something to say to the stand-ins.
    for (const child of children.toReversed()) await child.stop(now);
    if (home !== undefined) forgetRunning(home.runningFile);
    home?.release();
    home = undefined;
  };
  return { start, stop };
}

function recordRunning(home: Home | undefined, children: readonly Child[], url?: string): void {
  if (home === undefined) return;
  const childPids = children.map(({ pid }) => pid);
  writeRunning(home.runningFile, { pid: process.pid, childPids, ...(url === undefined ? {} : { url }) });
}

async function startProviders(
  home: Home,
  addChild: (child: Child) => Child,
): Promise<readonly ServedProvider[]> {
  const ports = readJsonFile(home.portsFile, portsSchema) ?? {};
  const child = addChild(
    startChild({
      name: "The stand-ins' process",
      program: workspace.providersProgram,
      logFile: join(home.logsFolder, "stand-ins.log"),
      order: { kind: "start", stateFolder: home.providersFolder, ports, firstPort: firstPortOf(home.path) },
    }),
  );
  const message = await child.answer;
  if (message.kind !== "providers")
    throw new LaunchError("The stand-ins' process gave an unexpected message.");
  const known = Object.fromEntries(message.providers.map(({ id, port }) => [id, port]));
  writePrivateFile(home.portsFile, JSON.stringify({ ...ports, ...known }));
  return message.providers;
}

async function startBroker(
  home: Home,
  port: number,
  providers: readonly ServedProvider[],
  addChild: (child: Child) => Child,
): Promise<string> {
  const child = addChild(
    startChild({
      name: "The broker",
      program: workspace.brokerProgram,
      logFile: join(home.logsFolder, "broker.log"),
      env: {
        KEYLOAN_DATA_DIR: home.brokerFolder,
        KEYLOAN_ROOT_KEY_FILE: home.rootKeyFile,
        KEYLOAN_ADMIN_TOKEN_FILE: home.adminTokenFile,
        KEYLOAN_HOST: "127.0.0.1",
        KEYLOAN_SHUTDOWN_SECONDS: "2",
        // The stand-ins' databases and stores are on this machine.
        KEYLOAN_ALLOW_PRIVATE_ADDRESSES: "true",
        PORT: String(port),
        ...Object.fromEntries(providers.map(({ id, baseUrl }) => [providerUrlVariable(id), baseUrl])),
      },
    }),
  );
  const message = await child.answer;
  if (message.kind !== "ready") throw new LaunchError("The broker gave an unexpected message.");
  return `http://127.0.0.1:${message.port}`;
}

function portTaken(port: number): LaunchError {
  return new LaunchError(
    `Another program uses port ${port}: stop it, or choose another port with PORT=${port === 65_535 ? port - 1 : port + 1}.`,
  );
}
