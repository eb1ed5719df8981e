import { inspect } from "node:util";
import { BrokerError, ProviderError } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { s3Store, type TestStore } from "./testing/stores.ts";
import { collect, content, names } from "./testing/streams.ts";

const name = "arc_0123456789abcdefghjk";
const { signal } = new AbortController();
const marked = "words-of-the-store";

let place: TestStore;
beforeEach(async () => {
  place = await s3Store();
});
afterEach(() => place.close());

/** Every way to use the store, each to the end. */
const uses = {
  put: (store = place.store) => store.put(name, content(100), signal),
  "put in parts": (store = place.store) => store.put(name, content(9 * 1024 * 1024), signal),
  get: (store = place.store) => collect(store.get(name, signal)),
  remove: (store = place.store) => store.remove(name, signal),
  list: (store = place.store) => names(store.list(signal)),
};
const each = Object.keys(uses) as (keyof typeof uses)[];

describe.each(each)("%s", (use) => {
  test("is refused with a wrong key, and tells the status and nothing of the store's words", async () => {
    await place.store.put(name, content(10), signal);
    const refused = uses[use](place.openAgain({ secretAccessKey: "another" }));
    await expect(refused).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("(status 403)"),
    });
  });

  test("fails as unavailable when the store is down", async () => {
    await place.stop();
    await expect(uses[use]()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("(no answer)"),
    });
  });

  test("keeps nothing of what the store says when it fails", async () => {
    await place.store.put(name, content(10), signal);
    const body = `<Error><Code>InternalError</Code><Message>${marked}</Message></Error>`;
    const headers = { "content-type": "application/xml" };
    place.intercept(() => ({ when: "before", answer: { status: 500, headers, body } }));
    const failure = await uses[use]().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BrokerError);
    expect(inspect(failure, { depth: 10 })).not.toContain(marked);
  });
});

test("what the provider of the content does not do is not a failure of the store", async () => {
  const failure = new ProviderError("somewhere", "unavailable", "answered 503", { status: 503 });
  async function* broken() {
    yield Uint8Array.of(1);
    throw failure;
  }
  await expect(place.store.put(name, broken(), signal)).rejects.toBe(failure);
});

test("a store that does not answer is left in time", async () => {
  const silent = place.openAgain({ timeoutMs: 100 });
  const never = new Promise<undefined>(() => {});
  place.intercept(() => never as never);
  await expect(collect(silent.get(name, signal))).rejects.toMatchObject({ code: "unavailable" });
});

test("a read that is cut short fails", async () => {
  await place.store.put(name, content(6_000_000), signal);
  const reading = async () => {
    for await (const _piece of place.store.get(name, signal)) await place.stop();
  };
  await expect(reading()).rejects.toMatchObject({ code: "unavailable" });
});

test("a removal that the store only claims is found out", async () => {
  await place.store.put(name, content(10), signal);
  place.intercept((method) =>
    method === "DELETE" ? { when: "before", answer: { status: 204, headers: {}, body: "" } } : undefined,
  );
  await expect(place.store.remove(name, signal)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("still there"),
  });
});

test("parts that a crash left are listed by name, and go with it", async () => {
  // The last request of an upload and its abort never arrive, as when the process dies.
  let posts = 0;
  place.intercept((method) => {
    if (method === "POST") posts += 1;
    return (method === "POST" && posts > 1) || method === "DELETE"
      ? { when: "before", answer: "cut" }
      : undefined;
  });
  await expect(place.store.put(name, content(9 * 1024 * 1024), signal)).rejects.toBeInstanceOf(BrokerError);
  place.intercept(undefined);
  expect(await names(place.store.list(signal))).toEqual([name]);
  await place.store.remove(name, signal);
  expect(await names(place.store.list(signal))).toEqual([]);
});
