import type { BuildView } from "@keyloan/contract";
import { afterEach, describe, expect, it, test } from "vitest";
import type { RunningBroker } from "../start-broker.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";
import { type MeteredProvider, startMeteredProvider } from "../testing/metered-provider.ts";
import { createLimitedFetch } from "./limited-fetch.ts";

let broker: TestBroker;
let provider: MeteredProvider;
let second: RunningBroker;

// The provider's clock is the brokers': it is turned, not waited for.
async function start(options: { calls: number; windowSeconds: number; declared: boolean }): Promise<void> {
  const { calls, windowSeconds } = options;
  provider = await startMeteredProvider({
    now: () => broker.now(),
    calls,
    windowSeconds,
    ...(options.declared ? { declares: { calls, windowSeconds } } : {}),
  });
  broker = await createTestBroker({
    emulators: [],
    connectors: [provider.connector],
    config: { issueDeadlineSeconds: 1 },
  });
  second = await broker.startAnother();
}

afterEach(async () => {
  await broker.close();
  await provider.close();
});

const deps = () => [broker.running().deps, second.deps] as const;
const create = async (wait = 0): Promise<BuildView> =>
  (await broker.call("POST", `/v1/builds?wait=${wait}`, { body: { name: "x", connectors: ["metered"] } }))
    .body as BuildView;
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
const settle = async (ids: readonly string[]) => {
  for (const each of deps()) await finishWork(each, ...ids);
};
const inState = async (ids: readonly string[], state: string) =>
  (await Promise.all(ids.map(show))).filter((build) => build.state === state).length;

describe("a pause that a provider asks for", () => {
  it("keeps every broker from asking until it is over, and then all builds are finished", async () => {
    await start({ calls: 1_000, windowSeconds: 60, declared: false });
    provider.pauseUntil(broker.now() + 600_000, 600);
    const first = await create(1);
    expect(first.leases[0]).toMatchObject({ state: "planned", error: { code: "rate_limited" } });
    expect(provider.refused).toHaveLength(1);

    // A build made by the other broker, one made by this one, and all that is due: nobody asks.
    const others = [await create(1), await create(1)];
    broker.advance(590_000);
    const ids = [first, ...others].map(({ id }) => id);
    await settle(ids);
    expect(provider.refused).toHaveLength(1);
    expect(provider.served).toHaveLength(0);

    broker.advance(20_000);
    await expect
      .poll(() => settle(ids).then(() => inState(ids, "ready")), { timeout: 10_000 })
      .toBe(ids.length);
  });

  it("is not a failed attempt: a provider that is busy for hours makes nobody's hands needed", async () => {
    await start({ calls: 1_000, windowSeconds: 60, declared: false });
    provider.pauseUntil(broker.now() + 5 * 3_600_000, 300);
    const { id } = await create(1);
    for (let round = 0; round < 12; round++) {
      broker.advance(310_000);
      await settle([id]);
    }
    const jobs = await deps()[0].store.read.jobs.list({ kind: "issue", limit: 5 });
    expect(jobs).toMatchObject([{ state: "waiting" }]);
    expect(jobs[0]?.attempts).toBeLessThan(3);
    expect((await show(id)).leases[0]?.state).toBe("planned");
  });
});

describe("a documented budget", () => {
  it("is kept by two brokers together without one refusal, and every build gets its turn", async () => {
    await start({ calls: 60, windowSeconds: 300, declared: true });
    const ids: string[] = [];
    for (let index = 0; index < 40; index++) ids.push((await create()).id);
    for (let round = 0; round < 30 && (await inState(ids, "ready")) < ids.length; round++) {
      await settle(ids);
      broker.advance(20_000);
    }
    expect(await inState(ids, "ready")).toBe(ids.length);
    expect(provider.refused).toEqual([]);
    expect(provider.served).toHaveLength(ids.length);
  }, 60_000);

  test.each([
    ["within", "/client/v4/tokens", 429],
    ["outside", "/bucket/object", 204],
  ])("holds back only calls %s its part of the provider's addresses", async (_, path, expected) => {
    await start({ calls: 60, windowSeconds: 300, declared: false });
    const [{ store, now }] = deps();
    const fetch = async () => new Response(null, { status: 204 });
    await store.write([], (tables) => tables.providerLimits.pause("metered", now() + 60_000, now()));
    const limited = createLimitedFetch({ store, now, fetch })({
      ...provider.connector,
      callBudget: { calls: 60, windowSeconds: 300, pathPrefix: "/client/v4/" },
    });
    const response = await limited(`https://api.example.com${path}`);
    expect(response.status).toBe(expected);
    expect(response.headers.get("retry-after")).toBe(expected === 429 ? "60" : null);
  });
});
