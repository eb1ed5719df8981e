import { idSuffix, type ListedResource, type PlannedLease, secretValues } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFaultQueue } from "../kit/emulator.ts";
import { serveEmulator } from "../kit/emulator-app.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import { orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { stripeStandIn } from "./emulator.ts";
import { createStripeState, type StripeState } from "./emulator-account.ts";
import { createStripe } from "./index.ts";

let calls = 0;
const stripe = createStripe(async () => {
  calls += 1;
});
const faults = createFaultQueue();
const stripeApp = (account: StripeState) =>
  createStandInApp(stripeStandIn, { list: () => [account], save: async () => {} }, faults, Date.now);
let state: StripeState;
let server: Awaited<ReturnType<typeof serveEmulator>>;
beforeEach(async () => {
  faults.clear();
  state = createStripeState();
  server = await serveEmulator(stripeApp(state), 0);
});
afterEach(() => server.close());

const context = () => testContext({ baseUrl: server.baseUrl });
const organization = () =>
  orgCredential(
    stripe,
    context(),
    secretValues({ secretKey: state.restrictedKey, publishableKey: state.publishableKey }),
  );
const lease = () => planLease(stripe, { prices: [{ name: "pro", currency: "usd", unitAmount: 100 }] });
const issue = async (planned: PlannedLease) => stripe.issuer?.issue(context(), await organization(), planned);
async function list(): Promise<ListedResource[]> {
  const found: ListedResource[] = [];
  const org = await organization();
  for await (const resource of stripe.issuer?.list?.(context(), org) ?? expect.fail()) found.push(resource);
  return found;
}
const product = (id: string, changes: Partial<StripeState["products"][number]> = {}) =>
  state.products.unshift({
    id,
    name: id,
    active: true,
    metadata: { managed_by: "keyloan" },
    created: 0,
    ...changes,
  });

describe("the products of leases", () => {
  test("are listed by lease until they are archived; neither demo nor foreign ones are", async () => {
    const [first, second] = [lease(), lease()];
    await issue(first);
    await issue(second);
    product(`keyloan_${"0".repeat(20)}`, { metadata: {} });
    product(`keyloan_${"1".repeat(19)}`);
    product(`keyloan_${"2".repeat(20)}x`);
    product(`prod_${"3".repeat(20)}`);
    product(`keyloan_${"4".repeat(20)}`, { active: false });
    const resourceOf = ({ leaseId, handle }: PlannedLease) => ({
      suffix: idSuffix(leaseId),
      handle,
      name: handle.productId,
    });
    expect(await list()).toEqual([resourceOf(second), resourceOf(first)]);
    await stripe.issuer?.revoke(context(), await organization(), first);
    expect(await list()).toEqual([resourceOf(second)]);
  });

  test("are found on every page, each once, under the limiter of all calls", async () => {
    const ids = Array.from({ length: 250 }, (_, number) => `keyloan_${String(number).padStart(20, "0")}`);
    for (const id of ids) product(id);
    calls = 0;
    expect((await list()).map(({ name }) => name).sort()).toEqual(ids);
    expect(calls).toBe(3);
  });

  test("are found though each is archived as soon as it is found", async () => {
    const ids = Array.from({ length: 120 }, (_, number) => `keyloan_${String(number).padStart(20, "0")}`);
    for (const id of ids) product(id);
    const found: string[] = [];
    const org = await organization();
    for await (const { name } of stripe.issuer?.list?.(context(), org) ?? expect.fail()) {
      found.push(name);
      const archived = state.products.find(({ id }) => id === name);
      if (archived !== undefined) archived.active = false;
    }
    expect(found.sort()).toEqual(ids);
  });

  test.each([
    ["the same page again and again", [{ id: `keyloan_${"0".repeat(20)}`, object: "product", active: true }]],
    ["nothing again and again", []],
  ])("are not looked for for ever in %s", async (_, data) => {
    const body = JSON.stringify({ object: "list", url: "/v1/products", has_more: true, data });
    const org = await organization();
    faults.add({ kind: "status", method: "GET", path: /products$/, status: 200, body }, 60);
    const reading = (async () => {
      for await (const _found of stripe.issuer?.list?.(context(), org) ?? expect.fail());
    })();
    await expect(reading).rejects.toMatchObject({ code: "invalid_response" });
    expect(faults.size()).toBeGreaterThan(50);
  });
});
