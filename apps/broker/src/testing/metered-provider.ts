import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { defineConnector } from "@keyloan/connectors";
import { type Connector, ProviderError, secretValues } from "@keyloan/contract";

/** A provider that counts its calls and refuses what is too much. */
export type MeteredProvider = {
  readonly connector: Connector;
  /** When calls were let through, by the clock it was given. */
  readonly served: number[];
  /** When calls were refused with 429. */
  readonly refused: number[];
  /** Refuses every call with these seconds to wait, until that time has come. */
  readonly pauseUntil: (untilMs: number, retryAfterSeconds: number) => void;
  readonly close: () => Promise<void>;
};

/** Serves at most `calls` in any span of `windowSeconds`, as it documents, and answers 429 beyond that. */
export async function startMeteredProvider(options: {
  readonly now: () => number;
  readonly calls: number;
  readonly windowSeconds: number;
  /** What its connector declares; absent: nothing. */
  readonly declares?: Connector["callBudget"];
}): Promise<MeteredProvider> {
  const { now, calls, windowSeconds } = options;
  const served: number[] = [];
  const refused: number[] = [];
  let pause = { untilMs: 0, retryAfterSeconds: 0 };
  const server = createServer((request, response) => {
    request.resume();
    const at = now();
    const recent = served.filter((time) => time > at - windowSeconds * 1000).length;
    if (at < pause.untilMs || recent >= calls) {
      refused.push(at);
      const wait = at < pause.untilMs ? pause.retryAfterSeconds : windowSeconds;
      response.writeHead(429, { "retry-after": String(wait) }).end();
      return;
    }
    served.push(at);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/keys`;
  return {
    connector: meteredConnector(url, options.declares),
    served,
    refused,
    pauseUntil: (untilMs, retryAfterSeconds) => {
      pause = { untilMs, retryAfterSeconds };
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function meteredConnector(url: string, callBudget: Connector["callBudget"]): Connector {
  const call = async (fetch: typeof globalThis.fetch) => {
    const { status, headers } = await fetch(url, { method: "POST" });
    if (status === 204) return;
    const retryAfterSeconds = Number(headers.get("retry-after"));
    throw new ProviderError(
      "metered",
      status === 429 ? "rate_limited" : "unavailable",
      `answered ${status}`,
      {
        status,
        retryAfterSeconds,
      },
    );
  };
  return defineConnector({
    spec: {
      id: "metered",
      label: "Metered",
      category: "app",
      summary: "Counts calls.",
      grade: "E",
      revocation: "Nothing is to be ended.",
      orgFields: [],
      env: [
        {
          name: "METERED_KEY",
          label: "Key",
          help: "Any.",
          secret: true,
          exposure: "server",
          ifUnset: "Nothing.",
        },
      ],
    },
    validate: async () => ({ status: "valid", capabilities: [], warnings: [] }),
    issuer: {
      plan: () => ({}),
      issue: async ({ fetch }) => {
        await call(fetch);
        return secretValues({ METERED_KEY: "metered-key-of-a-lease" });
      },
      revoke: ({ fetch }) => call(fetch),
    },
    ...(callBudget === undefined ? {} : { callBudget }),
  });
}
