import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { Secret } from "@keyloan/contract";
import { afterEach, describe, expect, it } from "vitest";
import type { BrokerConfig } from "../env.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";

let broker: TestBroker | undefined;
afterEach(async () => {
  await broker?.close();
  broker = undefined;
});

async function start(config: Partial<BrokerConfig>) {
  broker = await createTestBroker({ emulators: [], config: { metricsPort: 0, ...config } });
  return `http://127.0.0.1:${broker.running().metricsPort}`;
}

describe("the metrics port", () => {
  it("serves them without a token, and nothing else", async () => {
    const url = await start({});
    expect(await (await fetch(`${url}/metrics`)).text()).toContain("keyloan_http_request_seconds");
    expect((await fetch(`${url}/v1/builds`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(404);
  });

  it("serves them to who has its token alone, when there is one", async () => {
    const metricsToken = "a-token-for-measures";
    const url = await start({ metricsToken: Secret.of(metricsToken) });
    const ask = async (authorization?: string) =>
      (await fetch(`${url}/metrics`, { headers: authorization === undefined ? {} : { authorization } }))
        .status;
    expect(await ask(`Bearer ${metricsToken}`)).toBe(200);
    const wrong = [undefined, "", "Bearer", `Bearer ${metricsToken}x`, metricsToken, `Basic ${metricsToken}`];
    expect(await Promise.all(wrong.map(ask))).toEqual(wrong.map(() => 401));
  });

  const outer = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;

  it.runIf(outer !== undefined)("listens on this machine alone, wherever the broker listens", async () => {
    const url = await start({ host: "0.0.0.0" });
    const reached = (port: number | undefined) =>
      new Promise<boolean>((resolve) => {
        request({ host: outer, port, path: "/metrics" }, (answer) => {
          answer.resume();
          resolve(true);
        })
          .on("error", () => resolve(false))
          .end();
      });
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    expect(await reached(broker?.running().port)).toBe(true);
    expect(await reached(broker?.running().metricsPort)).toBe(false);
  });
});
