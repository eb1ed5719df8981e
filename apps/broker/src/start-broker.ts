import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { composeDeps, type DepsOverrides } from "./compose.ts";
import type { Deps } from "./deps.ts";
import type { BrokerConfig } from "./env.ts";
import { describeError } from "./observe/logger.ts";
import { startMetricsServer } from "./observe/metrics-server.ts";
import { sealedWrong } from "./sealed-wrong.ts";
import { signAuditHead } from "./verbs/audit/sign-head.ts";
import { watchStanding } from "./verbs/audit/watch-standing.ts";
import { sweepDownloads } from "./verbs/databases/download-folder.ts";
import { removeOldRehearsals } from "./verbs/rollback/rehearse-rollback.ts";
import { startWorker } from "./worker.ts";

const firstReadMs = 3_000;
const lastDeliveryMs = 3_000;

export type RunningBroker = {
  readonly deps: Deps;
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
  const deps = await composeDeps(config, overrides);
  await removeOldRehearsals(deps);
  await sweepDownloads(config.dataDirectory, deps.now());
  await readOutsideHeads(deps);
  const app = createApp(deps);
  const server = serve({ fetch: app.fetch, hostname: config.host, port: config.port });
  try {
    await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  } catch (error) {
    await deps.store.close();
    throw error;
  }
  const metricsServer = await startMetricsServer(deps);
  const worker = startWorker(deps);
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
    await deps.runner.stop();
    await deps.refusals.writeAll();
    await signLastHead(deps);
    await deps.headDelivery.stop(lastDeliveryMs);
    await deps.store.close();
  };
  return { deps, port: portOf(server), metricsPort: metricsServer && portOf(metricsServer), stop };
}

/** What is known outside is read before the first request, so that an older copy of the store is noticed. */
async function readOutsideHeads(deps: Deps): Promise<void> {
  try {
    await deps.headDelivery.readOutside(firstReadMs);
    await watchStanding(deps);
  } catch (error) {
    if (sealedWrong(error) === undefined) {
      await deps.store.close();
      throw error;
    }
    deps.logger.error(
      describeError(error),
      "the audit could not be compared with what is kept outside the store",
    );
  }
}

/** What was done since the last head is signed before nobody is there to do it. */
async function signLastHead(deps: Deps): Promise<void> {
  try {
    await signAuditHead(deps);
  } catch (error) {
    deps.logger.error(describeError(error), "the audit could not be signed before the stop");
  }
}

function portOf(server: { readonly address: () => unknown }): number {
  // A listening TCP server has an address of this kind.
  return (server.address() as AddressInfo).port;
}
