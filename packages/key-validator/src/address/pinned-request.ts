import { type IncomingMessage, request as openHttp, type RequestOptions } from "node:http";
import { request as openHttps } from "node:https";
import {
  connect as connectTcp,
  isIP,
  type LookupFunction,
  type Socket,
  type TcpNetConnectOpts,
} from "node:net";
import { connect as connectTls } from "node:tls";
import type { GuardedAddress } from "./guard-address.ts";

/** Opens a TCP connection; the `lookup` in its options returns only the checked addresses. */
export type Connect = (options: TcpNetConnectOpts) => Socket;

export const connectDefault: Connect = (options) => connectTcp(options);

export type PinnedRequest = {
  readonly target: GuardedAddress;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  readonly signal: AbortSignal;
  readonly responseBytesMax: number;
  readonly connect: Connect;
};

export type PinnedAnswer = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
};

/** An answer that cannot be accepted. The message is ours and contains nothing of the answer. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/**
 * One HTTP exchange on its own connection to a checked address, with the name as `Host` and as TLS server name.
 * The answer is read completely, up to its limit, so that no body can outlive the time limit.
 * @throws Error if the connection or the answer fails, and the signal's reason if it is aborted
 */
export async function sendPinned(request: PinnedRequest): Promise<PinnedAnswer> {
  const { target, body, signal } = request;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<PinnedAnswer>();
  const end = () => reject(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  const connection = openConnection(request);
  try {
    const open = target.url.protocol === "https:" ? openHttps : openHttp;
    const outgoing = open(target.url, {
      ...requestOptions(request),
      createConnection: () => connection.socket,
    });
    const endWithoutAnswer = () => reject(new AnswerError("the connection ended without an answer"));
    outgoing.on("error", reject);
    outgoing.once("upgrade", () => reject(new AnswerError("the server changed the protocol")));
    outgoing.once("close", endWithoutAnswer);
    outgoing.once("response", (incoming) => {
      outgoing.off("close", endWithoutAnswer);
      readAnswer(incoming, request).then(resolve, reject);
    });
    outgoing.end(body);
    return await promise;
  } finally {
    signal.removeEventListener("abort", end);
    connection.close();
  }
}

function requestOptions({ method, headers, body, target }: PinnedRequest): RequestOptions {
  const length =
    body === undefined && (method === "GET" || method === "HEAD")
      ? {}
      : { "content-length": String(body?.byteLength ?? 0) };
  return {
    method,
    headers: {
      ...Object.fromEntries(headers),
      ...length,
      host: target.url.host,
      connection: "close",
      // A small compressed answer could become huge when it is decompressed.
      "accept-encoding": "identity",
    },
  };
}

function openConnection({ target, connect }: PinnedRequest): { socket: Socket; close: () => void } {
  const { url, host, addresses } = target;
  const encrypted = url.protocol === "https:";
  const port = url.port === "" ? (encrypted ? 443 : 80) : Number(url.port);
  const tcp = connect({ host, port, lookup: pinnedLookup(addresses) });
  const serverName = isIP(host) === 0 ? { servername: host } : {};
  const socket = encrypted
    ? connectTls({ socket: tcp, host, ...serverName, rejectUnauthorized: true, ALPNProtocols: ["http/1.1"] })
    : tcp;
  // Without a listener, an error after the exchange has ended would end the process.
  for (const each of [tcp, socket]) each.on("error", () => {});
  return {
    socket,
    close: () => {
      socket.destroy();
      tcp.destroy();
    },
  };
}

/** Always returns the checked addresses, so that a name cannot lead elsewhere a moment later. */
function pinnedLookup(addresses: GuardedAddress["addresses"]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, addresses[0].address, addresses[0].family);
  };
}

async function readAnswer(
  incoming: IncomingMessage,
  { method, responseBytesMax: bytesMax }: PinnedRequest,
): Promise<PinnedAnswer> {
  const headers = toHeaders(incoming.rawHeaders);
  // An answer to HEAD only says how something is stored; it has no body that would have to be decompressed.
  if (method !== "HEAD" && !["", "identity"].includes(headers.get("content-encoding") ?? "")) {
    throw new AnswerError("the answer is compressed, although that was not requested");
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of incoming) {
    bytes += part.byteLength;
    if (bytes > bytesMax) throw new AnswerError("the answer is too large");
    parts.push(part);
  }
  return {
    status: incoming.statusCode ?? 0,
    statusText: incoming.statusMessage ?? "",
    headers,
    body: new Uint8Array(Buffer.concat(parts)),
  };
}

function toHeaders(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] ?? "", raw[at + 1] ?? "");
  return headers;
}
