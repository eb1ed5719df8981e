import { expect, test } from "vitest";
import { createClient } from "./index.ts";
import type { Transport } from "./transport.ts";

/** How long each call would wait, in seconds on top of what any answer takes. */
async function waitOf(use: (client: ReturnType<typeof createClient>) => Promise<unknown>): Promise<number> {
  let timeoutMs = 0;
  const transport: Transport = async (request) => {
    timeoutMs = request.timeoutMs;
    throw new Error("seen");
  };
  const url = "https://keyloan.example.com";
  const client = createClient({ url, timeoutMs: 1_000, transport, sleep: async () => undefined });
  await use(client).catch(() => undefined);
  return timeoutMs / 1000 - 1;
}

test("a call waits as long as the table of endpoints says", async () => {
  expect(await waitOf(({ builds }) => builds.get("bld_x"))).toBe(0);
  expect(await waitOf(({ orgKeys }) => orgKeys.put("acme", {}))).toBe(20);
  expect(await waitOf(({ audit }) => audit.verify())).toBe(3_600);
  expect(await waitOf(({ builds }) => builds.create({ name: "x" }))).toBe(25);
});

test("a call that asks the broker to wait waits as long", async () => {
  expect(await waitOf(({ builds }) => builds.create({ name: "x" }, { waitSeconds: 60 }))).toBe(60);
  expect(await waitOf(({ leases }) => leases.revoke("lea_x", { waitSeconds: 0 }))).toBe(0);
});
