import { createHash } from "node:crypto";
import { createServer } from "node:net";

/** Below the range from which systems take ports for outgoing connections, so that a port can be used again. */
export const providerPorts = { first: 18_700, last: 19_899 } as const;

/** Where a folder's stand-ins begin to look for ports: different per folder, so that two rarely meet. */
export function firstPortOf(folder: string): number {
  const count = providerPorts.last - providerPorts.first + 1;
  const step = 10;
  const slot = createHash("sha256").update(folder).digest().readUInt32BE(0) % (count / step);
  return providerPorts.first + slot * step;
}

/** Whether 127.0.0.1 has this port free right now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * The first free port that is not among `taken`, from `first` on, around the end of the range.
 * @throws Error when there is none
 */
export async function findFreePort(first: number, taken: ReadonlySet<number>): Promise<number> {
  const count = providerPorts.last - providerPorts.first + 1;
  for (let offset = 0; offset < count; offset++) {
    const port = providerPorts.first + ((first - providerPorts.first + offset) % count);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no port from ${providerPorts.first} to ${providerPorts.last} is free`);
}
