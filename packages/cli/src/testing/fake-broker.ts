import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type ErrorCode, errorStatuses } from "@keyloan/contract";
import { createFakeRoutes, type FakeState } from "./fake-routes.ts";
import { adminToken, apiToken, buildToken, sampleBuildId } from "./samples.ts";

/** What a request looked like when it arrived. */
export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

/** Answers a request in the place of the fake, or leaves it alone. */
export type Fault = (request: SeenRequest, response: ServerResponse, incoming: IncomingMessage) => boolean;

export type FakeBroker = {
  readonly url: string;
  readonly seen: SeenRequest[];
  readonly state: FakeState;
  /** Each fault is asked once, about the next request, in this order. */
  readonly faults: Fault[];
  readonly close: () => Promise<void>;
};

export class FakeError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly details: Record<string, unknown> | undefined;
  constructor(code: ErrorCode, message: string, remedy: string, details?: Record<string, unknown>) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.details = details;
  }
}

/**
 * A broker on a free port of 127.0.0.1 that keeps what it is told in memory. It checks tokens, request
 * bodies and its own answers against the contract's schemas.
 */
export async function startFakeBroker(): Promise<FakeBroker> {
  const seen: SeenRequest[] = [];
  const faults: Fault[] = [];
  const { state, route } = createFakeRoutes();
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    seen.push(request);
    if (faults.shift()?.(request, response, incoming)) return;
    try {
      const actor = actorOf(request);
      const answer = route(request, actor);
      send(response, answer.status ?? 200, answer.body, answer.type);
    } catch (error) {
      if (!(error instanceof FakeError)) throw error;
      const { code, message, remedy, details } = error;
      const envelope = { error: { code, message, remedy, requestId: "req_3k9v0a5m2c7d8e4f6g1h", details } };
      send(response, errorStatuses[code], envelope);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    state,
    faults,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

export type FakeActor = {
  readonly kind: "admin" | "platform" | "workload" | "nobody";
  readonly buildId?: string;
};

function actorOf(request: SeenRequest): FakeActor {
  const { authorization } = request.headers;
  if (authorization === `Bearer ${adminToken}`) return { kind: "admin" };
  if (authorization === `Bearer ${apiToken}`) return { kind: "platform" };
  if (authorization === `Bearer ${buildToken}`) return { kind: "workload", buildId: sampleBuildId };
  if (request.path.startsWith("/health")) return { kind: "nobody" };
  throw new FakeError("unauthenticated", "the token is not known here", "Check that it was copied whole.");
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  let body = "";
  for await (const chunk of incoming) body += chunk;
  const url = new URL(incoming.url ?? "/", "http://fake");
  const method = incoming.method ?? "GET";
  return { method, path: url.pathname, query: url.searchParams, headers: incoming.headers, body };
}

function send(response: ServerResponse, status: number, body: unknown, type = "application/json"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
}
