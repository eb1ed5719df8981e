import { expect, test } from "vitest";
import { ServiceError } from "./failure.ts";
import { rememberSuccess, runChecks } from "./health.ts";

test("one failing service does not hide the others", async () => {
  const health = await runChecks({
    database: async () => "fine",
    storage: async () => {
      throw new ServiceError("answered without a body");
    },
  });
  expect(health).toEqual({
    ok: false,
    services: {
      database: { ok: true, detail: "fine" },
      storage: { ok: false, reason: "answered without a body" },
    },
  });
});

test("a success is asked again only when it is old, a failure every time", async () => {
  let clock = 0;
  const answers: (() => string)[] = [
    () => {
      throw new Error("down");
    },
    () => "first",
    () => "second",
  ];
  const check = rememberSuccess(
    async () => answers.shift()?.() ?? "none left",
    1_000,
    () => clock,
  );
  await expect(check()).rejects.toThrow("down");
  expect(await check()).toBe("first");
  clock = 999;
  expect(await check()).toBe("first");
  clock = 1_000;
  expect(await check()).toBe("second");
});
