import type { Fault } from "@keyloan/connectors/emulators";
import { scheduledWork } from "../schedule.ts";
import { putObjects, runSql } from "./app-clients.ts";
import { createTestBroker } from "./create-test-broker.ts";

/**
 * A test broker as a process of its own, for tests that may not import the broker: a browser's. The parent
 * sends `{ id, command, args }` and gets `{ id, value }` or `{ id, problem }`.
 */
const broker = await createTestBroker();
await broker.putOrgKeys();

const emulator = (id: string) => {
  const found = broker.emulators.get(id);
  if (found === undefined) throw new Error(`there is no stand-in ${id}`);
  return found;
};

const commands = {
  url: async () => broker.url,
  createBuild: async (body: Record<string, unknown>) => (await broker.createBuild(body)).id,
  createLink: async (buildId: string, body: Record<string, unknown> = {}) => {
    const answer = await broker.call("POST", `/v1/builds/${buildId}/handoff`, { body });
    if (answer.status !== 201) throw new Error(`no link: ${answer.status} ${answer.text}`);
    return (answer.body as { url: string }).url;
  },
  closeBuild: async (buildId: string) => (await broker.call("DELETE", `/v1/builds/${buildId}`)).status,
  readEnv: (buildId: string) => broker.readEnv(buildId),
  createUserEnv: (connector: string, options?: { mode?: "test" | "live" }) =>
    emulator(connector).createUserEnv(options),
  addFault: async (connector: string, fault: Fault, times = 1) =>
    emulator(connector).faults.add(fault, times),
  clearFaults: async () => {
    for (const { faults } of broker.emulators.values()) faults.clear();
  },
  runSql,
  putObjects,
  advance: async (ms: number) => broker.advance(ms),
  /** Does work that comes round, without waiting for its time. */
  runWork: async (name: string) => {
    const work = scheduledWork.find((each) => each.name === name);
    if (work === undefined) throw new Error(`there is no work ${name}`);
    await work.run(broker.running().deps, new AbortController().signal);
  },
  revert: async (buildId: string, reason: string) =>
    (await broker.call("POST", `/v1/builds/${buildId}/revert`, { body: { reason } })).status,
  logs: async () => broker.logs.join("\n"),
} satisfies Record<string, (...args: never[]) => Promise<unknown>>;

type Request = { id: number; command: keyof typeof commands; args: never[] };

process.on("message", async ({ id, command, args }: Request) => {
  try {
    const run: (...args: never[]) => Promise<unknown> = commands[command];
    process.send?.({ id, value: await run(...args) });
  } catch (error) {
    process.send?.({ id, problem: error instanceof Error ? error.message : String(error) });
  }
});
// The parent ended, or is done with this.
process.on("disconnect", () => broker.close().finally(() => process.exit(0)));
process.send?.({ id: 0, value: broker.url });
