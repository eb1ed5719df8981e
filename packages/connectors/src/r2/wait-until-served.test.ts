import { ProviderError } from "@keyloan/contract";
import { S3Error } from "@keyloan/s3-objects";
import { expect, test } from "vitest";
import { waitUntilServed } from "./wait-until-served.ts";

const refusal = (status: number, code: string) =>
  new S3Error("r2", {
    status,
    headers: new Headers(),
    bytes: Buffer.from(`<Error><Code>${code}</Code></Error>`),
  });

/** Looks that fail with these errors, in order, and then succeed. */
function looks(...errors: readonly Error[]) {
  const waits: number[] = [];
  const waiting = [...errors];
  const signal = new AbortController().signal;
  const look = async () => {
    const error = waiting.shift();
    if (error !== undefined) throw error;
  };
  const wait = async (ms: number) => {
    waits.push(ms);
  };
  return { waits, run: () => waitUntilServed(look, { signal, wait }) };
}

test("a key that is accepted at once is not waited for", async () => {
  const { waits, run } = looks();
  await run();
  expect(waits).toEqual([]);
});

test("refusals are waited for, ever longer", async () => {
  const { waits, run } = looks(
    refusal(401, "Unauthorized"),
    refusal(403, "AccessDenied"),
    refusal(403, "SignatureDoesNotMatch"),
  );
  await run();
  expect(waits).toEqual([250, 500, 1000]);
});

test("after about a minute of refusals it may be tried later", async () => {
  const { waits, run } = looks(...Array.from({ length: 40 }, () => refusal(401, "Unauthorized")));
  await expect(run()).rejects.toMatchObject({ code: "unavailable", retryable: true });
  const seconds = waits.reduce((sum, ms) => sum + ms, 0) / 1000;
  expect(seconds).toBeGreaterThan(50);
  expect(seconds).toBeLessThan(70);
});

test.each([
  ["a false clock", refusal(403, "RequestTimeTooSkewed")],
  ["a bucket that is not there", refusal(404, "NoSuchBucket")],
  ["a store that is down", refusal(503, "ServiceUnavailable")],
  ["a mistake of ours", new TypeError("no")],
])("%s is not waited for", async (_, error) => {
  const { waits, run } = looks(error);
  await expect(run()).rejects.toBe(error);
  expect(waits).toEqual([]);
});

test("the signal ends the wait", async () => {
  const controller = new AbortController();
  const look = async () => {
    controller.abort();
    throw refusal(401, "Unauthorized");
  };
  const failure = await waitUntilServed(look, { signal: controller.signal }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ProviderError);
  expect(failure).toMatchObject({ code: "timeout", retryable: true });
});
