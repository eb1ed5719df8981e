import { type Fault, putObjects, runSql, startKeyloan } from "@keyloan/test-kit";

export type UserEnvOptions = {
  readonly mode?: "test" | "live";
  readonly kind?: "good" | "read-only" | "limited" | "wide" | "wrong-pair";
};

export type RunningBroker = Awaited<ReturnType<typeof startBroker>>;

/** The services whose keys a person brings in these tests. */
export const services = ["turso", "r2", "clerk", "stripe"] as const;

/** A broker with stand-ins, and what a test of the page does there beside the page. */
export async function startBroker() {
  const broker = await startKeyloan({ in: "process", emulators: services });
  const emulator = (id: string) => {
    const found = broker.emulators.get(id);
    if (found === undefined) throw new Error(`there is no stand-in ${id}`);
    return found;
  };
  const post = (path: string, body: object) => broker.call("POST", path, { body });
  return {
    url: broker.url,
    createBuild: async (body: Record<string, unknown> = {}) => (await broker.createBuild(body)).id,
    createLink: async (buildId: string, body: Record<string, unknown> = {}) => {
      const answer = await post(`/v1/builds/${buildId}/handoff`, body);
      if (answer.status !== 201) throw new Error(`no link: ${answer.status} ${answer.text}`);
      return (answer.body as { url: string }).url;
    },
    closeBuild: async (buildId: string) => (await broker.call("DELETE", `/v1/builds/${buildId}`)).status,
    readEnv: (buildId: string) => broker.readEnv(buildId),
    /** What another person would type for their own account. */
    createUserEnv: (connector: string, options?: UserEnvOptions) =>
      emulator(connector).createUserEnv(options),
    /** Lets a stand-in do something wrong to the next requests that match. */
    addFault: (connector: string, fault: Fault, times = 1) => emulator(connector).faults.add(fault, times),
    clearFaults: () => {
      for (const { faults } of broker.emulators.values()) faults.clear();
    },
    /** What an app does with its env. */
    runSql,
    putObjects,
    /** Moves the broker's clock. */
    advance: broker.advance,
    runWork: broker.runWork,
    /** Goes back to the lent keys as the admin, and gives the status of the answer. */
    revert: async (buildId: string, reason: string) =>
      (await post(`/v1/builds/${buildId}/revert`, { reason })).status,
    logs: () => broker.logs.join("\n"),
    close: broker.close,
  };
}
