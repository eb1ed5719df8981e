import { connect, type Socket } from "node:net";

/** What one process asks another to send. */
export type LoadOrder = {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  /** How long a connection rests between an answer and its next request; 0 by default. */
  readonly pauseMs?: number;
};

export type LoadResult = {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
};

const headEnd = Buffer.from("\r\n\r\n");

/**
 * Sends the same GET over keep-alive connections, on each the next one when the last was answered, until the
 * time is over. It reads HTTP/1.1 only as far as needed, so that it costs little beside the server.
 */
export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const headers = Object.entries(order.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`GET ${order.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers.join("")}\r\n`);
  const latencies: number[] = [];
  let failures = 0;
  const started = performance.now();
  const until = started + order.seconds * 1000;
  const record = (ms: number, status: number) => {
    latencies.push(ms);
    if (status !== 200) failures++;
  };
  await Promise.all(
    Array.from({ length: order.connections }, () => runConnection(order, request, until, record)),
  );
  const seconds = (performance.now() - started) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
  return { requestsPerSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), failures };
}

function runConnection(
  { port, pauseMs = 0 }: LoadOrder,
  request: Buffer,
  until: number,
  record: (ms: number, status: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let sentAt = 0;
    let pending: Buffer = Buffer.alloc(0);
    const send = () => {
      sentAt = performance.now();
      socket.write(request);
    };
    socket.once("connect", send);
    socket.once("error", reject);
    socket.once("close", () => resolve());
    socket.on("data", (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const answer = readAnswer(pending);
      if (answer === undefined) return;
      const now = performance.now();
      record(now - sentAt, answer.status);
      pending = pending.subarray(answer.length);
      if (now >= until) socket.end();
      else if (pauseMs === 0) send();
      else setTimeout(send, pauseMs);
    });
  });
}

/** `undefined` while the answer is not complete. */
function readAnswer(bytes: Buffer): { status: number; length: number } | undefined {
  const end = bytes.indexOf(headEnd);
  if (end === -1) return undefined;
  const head = bytes.toString("latin1", 0, end).toLowerCase();
  const status = Number(head.slice(9, 12));
  const given = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  if (given !== undefined) {
    const length = end + headEnd.length + Number(given);
    return bytes.length >= length ? { status, length } : undefined;
  }
  // Chunked: the last chunk is empty.
  const last = bytes.indexOf("\r\n0\r\n\r\n", end + 2, "latin1");
  return last === -1 ? undefined : { status, length: last + 7 };
}
