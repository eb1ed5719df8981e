import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { createDeps, type DepsOverrides } from "./deps.ts";
import type { BrokerConfig } from "./env.ts";
import { jobDefinitions } from "./jobs/handlers.ts";
import { createJobRunner } from "./jobs/runner.ts";
import { startWorker } from "./jobs/worker.ts";
import { describeError } from "./observe/logger.ts";
import { startMetricsServer } from "./observe/metrics-server.ts";
import { sealedWrong } from "./sealed-wrong.ts";
import type { Services } from "./services.ts";
import { signAuditHead } from "./verbs/audit/sign-head.ts";
import { watchStanding } from "./verbs/audit/watch-standing.ts";
import { sweepDownloads } from "./verbs/databases/download-folder.ts";
import { removeOldRehearsals } from "./verbs/rollback/rehearse-rollback.ts";

const firstReadMs = 3_000;
const lastDeliveryMs = 3_000;

export type RunningBroker = {
  readonly services: Services;
  readonly port: number;
  /** Absent when no port of its own is configured for measures. */
  readonly metricsPort: number | undefined;
  /** Stops taking requests, lets those under way end, stops background work and closes the store. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts the whole broker and resolves when it listens.
 * @throws Error with a sentence when the address cannot be listened on or the store or a key cannot be used
 */
export async function startBroker(
  config: BrokerConfig,
  overrides: DepsOverrides = {},
): Promise<RunningBroker> {
  const deps = await createDeps(config, overrides);
  const services: Services = { ...deps, runner: createJobRunner(deps, jobDefinitions) };
  await removeOldRehearsals(services);
  await sweepDownloads(config.dataDirectory, deps.now());
  await readOutsideHeads(services);
  const app = createApp(services);
  const server = serve({ fetch: app.fetch, hostname: config.host, port: config.port });
  try {
    await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  } catch (error) {
    await deps.store.close();
    throw error;
  }
  const metricsServer = await startMetricsServer(services);
  const worker = startWorker(services);
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // A connection falls idle when its last answer is sent, and would keep the stop waiting until it times out.
    const idle = setInterval(() => {
      if ("closeIdleConnections" in server) server.closeIdleConnections();
    }, 25);
    const late = setTimeout(() => {
      if ("closeAllConnections" in server) server.closeAllConnections();
    }, config.shutdownSeconds * 1000);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
    metricsServer?.close();
    await worker.stop();
    await services.runner.stop();
    await services.refusals.writeAll();
    await signLastHead(services);
    await services.headDelivery.stop(lastDeliveryMs);
    await deps.store.close();
  };
  return { services, port: portOf(server), metricsPort: metricsServer && portOf(metricsServer), stop };
}

/** What is known outside is read before the first request, so that an older copy of the store is noticed. */
async function readOutsideHeads(services: Services): Promise<void> {
  try {
    await services.headDelivery.readOutside(firstReadMs);
    await watchStanding(services);
  } catch (error) {
    if (sealedWrong(error) === undefined) {
      await services.store.close();
      throw error;
    }
    services.logger.error(describeError(error), "the audit could not be compared with what is kept outside");
  }
}

/** What was done since the last head is signed before nobody is there to do it. */
async function signLastHead(services: Services): Promise<void> {
  try {
    await signAuditHead(services);
  } catch (error) {
    services.logger.error(describeError(error), "the audit could not be signed before the stop");
  }
}

function portOf(server: { readonly address: () => unknown }): number {
  // A listening TCP server has an address of this kind.
  return (server.address() as AddressInfo).port;
}
