import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What a request looked like when it arrived. */
export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

/** Answers a request in the place of the broker, or gives `false` to let it through. */
export type NetworkFault = (
  request: SeenRequest,
  response: ServerResponse,
  incoming: IncomingMessage,
) => boolean;

export type WatchedNetwork = {
  readonly url: string;
  /** Every request so far, also those that a fault answered. */
  readonly seen: SeenRequest[];
  /** Each is asked once, about the next request, in this order. */
  readonly faults: NetworkFault[];
  readonly close: () => Promise<void>;
};

/** The network before a broker: it shows what a client sends, and fails as a test wants it to. */
export async function watchRequests(target: () => string): Promise<WatchedNetwork> {
  const seen: SeenRequest[] = [];
  const faults: NetworkFault[] = [];
  const server = createServer(async (incoming, response) => {
    const request = await read(incoming);
    seen.push(request);
    if (faults.shift()?.(request, response, incoming) === true) return;
    const { method, headers } = incoming;
    const outgoing = requestHttp(new URL(incoming.url ?? "/", target()), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    outgoing.end(request.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Holds for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    faults,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function read(incoming: IncomingMessage): Promise<SeenRequest> {
  const { method = "GET", headers } = incoming;
  const { pathname: path, searchParams: query } = new URL(incoming.url ?? "/", "http://watched");
  return { method, path, query, headers, body: await text(incoming) };
}

/** Answers a request with this, whoever asks. */
export function answering(status: number, body: unknown, headers: Record<string, string> = {}): NetworkFault {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
    return true;
  };
}

/** What every answer of a broker has, and a stranger's has not. */
export const brokerHeaders = { "x-request-id": `req_${"0".repeat(20)}` };
