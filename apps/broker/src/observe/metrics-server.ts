import { createServer, type Server } from "node:http";
import type { Deps } from "../deps.ts";

/** Serves `/metrics` alone on its own port, when one is configured. */
export async function startMetricsServer(
  deps: Pick<Deps, "config" | "metrics">,
): Promise<Server | undefined> {
  const { host, metricsPort } = deps.config;
  if (metricsPort === undefined) return undefined;
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    deps.metrics.render().then(
      (text) => response.writeHead(200, { "content-type": deps.metrics.contentType }).end(text),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(metricsPort, host, resolve);
  });
  return server;
}
