import { once } from "node:events";
import { connect } from "node:net";

/** Sends bytes as they are and returns everything that comes back until the connection closes. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("utf8");
}

/** Every status line in what came back, in order. */
export function statusesIn(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}

/** One request that asks to end the connection. */
export function rawRequest(line: string, headers: Readonly<Record<string, string>>, body = ""): string {
  const all = { Host: "127.0.0.1", Connection: "close", "Content-Length": String(body.length), ...headers };
  const text = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${line} HTTP/1.1\r\n${text.join("\r\n")}\r\n\r\n${body}`;
}
