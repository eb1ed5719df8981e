import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Store } from "../open-store.ts";

const hourMs = 3_600_000;
const now = Date.UTC(2026, 10, 20);
let folder: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-schedules-"));
  store = await openStore({ path: join(folder, "store.db") });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const take = (at: number) => store.write([], (tables) => tables.schedules.take("work", at, hourMs));

describe("recurring work", () => {
  it("is one broker's each time, also when its clock is behind that of another", async () => {
    expect([await take(now), await take(now), await take(now - 2_000), await take(now + 2_000)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const next = now + hourMs;
    expect([await take(next), await take(next - 1), await take(next + 1)]).toEqual([true, false, false]);
  });

  it("waits no longer than twice its time when the clock is set back", async () => {
    expect(await take(now)).toBe(true);
    expect(await take(now - 24 * hourMs)).toBe(true);
    expect(await take(now - 23 * hourMs)).toBe(true);
  });
});
