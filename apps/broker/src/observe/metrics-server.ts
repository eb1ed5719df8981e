import { createServer, type IncomingMessage, type Server } from "node:http";
import { hashToken, textsMatch } from "../auth/tokens.ts";
import type { Deps } from "../deps.ts";

/** Serves `/metrics` alone on its own port, when one is configured. */
export async function startMetricsServer(
  deps: Pick<Deps, "config" | "metrics">,
): Promise<Server | undefined> {
  const { metricsHost, metricsPort, metricsToken } = deps.config;
  if (metricsPort === undefined) return undefined;
  const wanted = metricsToken === undefined ? undefined : hashToken(`Bearer ${metricsToken.reveal()}`);
  const isAllowed = ({ headers }: IncomingMessage) =>
    wanted === undefined || textsMatch(hashToken(headers.authorization ?? ""), wanted);
  let rendering: Promise<string> | undefined;
  // What is counted in the store is counted once for all who ask at the same time.
  const render = () => {
    rendering ??= deps.metrics.render().finally(() => {
      rendering = undefined;
    });
    return rendering;
  };
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    if (!isAllowed(request)) {
      response.writeHead(401, { "www-authenticate": 'Bearer realm="keyloan"' }).end();
      return;
    }
    render().then(
      (text) => response.writeHead(200, { "content-type": deps.metrics.contentType }).end(text),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(metricsPort, metricsHost, resolve);
  });
  return server;
}
