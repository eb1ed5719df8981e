import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { KeyloanError } from "./errors.ts";
import { networkError } from "./network-error.ts";

export type TransportRequest = {
  readonly url: URL;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** From the first byte sent to the last byte read. */
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  /**
   * Takes the body of a 200 piece by piece instead of `text`, however large it is; more is read when what it
   * gives has resolved.
   */
  readonly take?: ((piece: Uint8Array) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type TransportResponse = {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
};

/** One exchange. Throws KeyloanError when there is no whole answer; a status is never an error. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>;

/**
 * Sends over node:http and node:https. The global fetch would do as well, but loading it takes as
 * long as starting Node. Certificates are always verified, redirects never followed.
 * @param keepAlive keep connections open between calls; leave it off in a process that calls once
 */
export function createNodeTransport(keepAlive = false): Transport {
  let agents: Readonly<Record<string, Agent>> | undefined;
  return async (request) => {
    const secure = request.url.protocol === "https:";
    const https = secure ? await import("node:https") : undefined;
    if (keepAlive && agents?.[request.url.protocol] === undefined) {
      const agent = https ? new https.Agent({ keepAlive }) : new Agent({ keepAlive });
      agents = { ...agents, [request.url.protocol]: agent };
    }
    const open = () =>
      (https?.request ?? requestHttp)(request.url, {
        method: request.method,
        headers: request.headers,
        agent: agents?.[request.url.protocol] ?? false,
        ...(secure ? { rejectUnauthorized: true } : {}),
      });
    return exchange(open, request);
  };
}

async function exchange(open: () => ClientRequest, request: TransportRequest): Promise<TransportResponse> {
  const outgoing = open();
  let failure: KeyloanError | undefined;
  // What the caller's own code throws, such as for a disk that is full, is not a failure of the connection.
  let refusal: { readonly reason: unknown } | undefined;
  const take =
    request.take &&
    (async (piece: Uint8Array) => {
      try {
        await request.take?.(piece);
      } catch (reason) {
        refusal ??= { reason };
        throw reason;
      }
    });
  const stop = (error: KeyloanError) => {
    failure ??= error;
    outgoing.destroy();
  };
  const timer = setTimeout(() => stop(timeoutError(request)), request.timeoutMs);
  const onAbort = () => stop(new KeyloanError("aborted", "The caller cancelled the call."));
  request.signal?.addEventListener("abort", onAbort, { once: true });
  if (request.signal?.aborted) onAbort();
  try {
    const incoming = await sendRequest(outgoing, request.body);
    return await readResponse(incoming, { ...request, take }, stop);
  } catch (error) {
    // A server may close an idle connection at the moment it is used again; a read is safe to repeat.
    const stale = failure === undefined && outgoing.reusedSocket && request.method === "GET" && !request.take;
    if (stale) return await exchange(open, request);
    if (failure === undefined && refusal !== undefined) throw refusal.reason;
    throw failure ?? networkError(request.url, error);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", onAbort);
  }
}

function sendRequest(outgoing: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.on("close", () => reject(new Error("closed before an answer")));
    outgoing.end(body);
  });
}

function readResponse(
  incoming: IncomingMessage,
  { responseBytesMax: bytesMax, take }: TransportRequest,
  stop: (error: KeyloanError) => void,
): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const streams = take !== undefined && incoming.statusCode === 200;
    if (streams) {
      feed(incoming, take).then(
        () => resolve({ status: 200, headers: singleHeaders(incoming.headers), text: "" }),
        reject,
      );
      return;
    }
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) stop(tooLargeError(bytesMax));
      else chunks.push(chunk);
    });
    incoming.on("error", reject);
    incoming.on("close", () => reject(new Error("closed before the end of the answer")));
    incoming.on("end", () => {
      if (bytes > bytesMax) return;
      const text = Buffer.concat(chunks).toString("utf8");
      resolve({ status: incoming.statusCode ?? 0, headers: singleHeaders(incoming.headers), text });
    });
  });
}

async function feed(
  incoming: IncomingMessage,
  take: (piece: Uint8Array) => void | Promise<void>,
): Promise<void> {
  // A connection that ends before the answer does throws here.
  for await (const piece of incoming) await take(piece);
}

function singleHeaders(headers: IncomingMessage["headers"]): TransportResponse["headers"] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}

function tooLargeError(bytesMax: number): KeyloanError {
  return new KeyloanError("response_too_large", `The answer is larger than ${bytesMax} bytes.`, {
    remedy: "Check that KEYLOAN_URL is the address of a Keyloan broker; ask for smaller pages.",
  });
}

function timeoutError(request: TransportRequest): KeyloanError {
  return new KeyloanError(
    "timeout",
    `${request.url.origin} did not answer within ${request.timeoutMs / 1000} seconds.`,
    { remedy: "Check that the broker is healthy with `keyloan doctor`, then try again." },
  );
}
