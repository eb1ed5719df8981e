import { join } from "node:path";
import { connectors } from "@keyloan/connectors";
import { loadEmulators, type RunningEmulator, type StartEmulator } from "@keyloan/connectors/emulators";
import { systemCode } from "../launch-error.ts";
import { findFreePort } from "./free-port.ts";
import {
  type ChildMessage,
  createUserEnvsSchema,
  type StartProviders,
  startProvidersSchema,
} from "./messages.ts";

type Running = { readonly id: string; readonly emulator: RunningEmulator };

const stopTimeoutMs = 4_000;

/** One process with every stand-in. It ends with the launcher, also when that is killed. */
function main(): void {
  const running: Running[] = [];
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    void Promise.allSettled(running.map(({ emulator }) => emulator.close())).then(() => process.exit());
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop);
  process.on("disconnect", stop);
  process.once("message", (message) => {
    const fail = (error: unknown) => {
      send({ kind: "failed", message: error instanceof Error ? error.message : "a stand-in does not start" });
      stop();
    };
    const onLoss = (label: string) => {
      if (stopping) return;
      console.error(`The ${label} stand-in has lost the server that it runs on.`);
      process.exitCode = 1;
      stop();
    };
    startAll(startProvidersSchema.parse(message), running, onLoss).then(send, fail);
    process.on("message", (asked) => {
      createUserEnvsSchema.parse(asked);
      createUserEnvs(running).then(send, (error: unknown) =>
        send({ kind: "failed", message: error instanceof Error ? error.message : "a stand-in has no users" }),
      );
    });
  });
}

async function startAll(
  order: StartProviders,
  running: Running[],
  onLoss: (label: string) => void,
): Promise<ChildMessage> {
  const emulators = await loadEmulators();
  const ports = await choosePorts([...emulators.keys()], order);
  const started = await Promise.allSettled(
    [...emulators].map(async ([id, start]) => {
      const label = connectors.find(({ spec }) => spec.id === id)?.spec.label ?? id;
      const emulator = await startOne({ label, start, port: ports[id] ?? 0, folder: order.stateFolder, id });
      running.push({ id, emulator });
      void emulator.ended?.then(() => onLoss(label));
      const { baseUrl, port, orgFields, notice } = emulator;
      return { id, label, baseUrl, port, orgFields: { ...orgFields }, notice };
    }),
  );
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return {
    kind: "providers",
    providers: started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
  };
}

async function createUserEnvs(running: readonly Running[]): Promise<ChildMessage> {
  const envs = await Promise.all(
    running.map(async ({ id, emulator }) => [id, await emulator.createUserEnv({ mode: "live" })] as const),
  );
  return { kind: "user-envs", envs: Object.fromEntries(envs) };
}

async function choosePorts(ids: readonly string[], order: StartProviders): Promise<Record<string, number>> {
  const ports = { ...order.ports };
  for (const id of ids) {
    ports[id] ??= await findFreePort(order.firstPort, new Set(Object.values(ports)));
  }
  return ports;
}

type Start = {
  readonly id: string;
  readonly label: string;
  readonly start: StartEmulator;
  readonly port: number;
  readonly folder: string;
};

async function startOne({ id, label, start, port, folder }: Start): Promise<RunningEmulator> {
  try {
    return await start({ stateDirectory: join(folder, id), port });
  } catch (error) {
    if (systemCode(error) === "EADDRINUSE") {
      const taken = error instanceof Error && "port" in error ? error.port : port;
      throw new Error(
        `Another program uses port ${taken}, on which earlier builds expect the ${label} stand-in: stop that program.`,
      );
    }
    const reason = error instanceof Error ? error.message : "it does not start";
    throw new Error(`The ${label} stand-in does not start: ${reason}`);
  }
}

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

main();
