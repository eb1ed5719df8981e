import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@keyloan/contract";
import { expect, test } from "vitest";
import { openStore } from "../open-store.ts";

test("one person is proven by the newest browsers alone: a code that leaked makes no others without end", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-persons-"));
  const store = await openStore({ path: join(folder, "keyloan.db") });
  const most = limits.browsersPerPersonMax;
  const person = { buildId: "bld_1", identity: null, recoveryHash: "r", allows: [], createdAt: 1 };
  await store.write([], async ({ persons }) => {
    await persons.insert({ ...person, id: "per_1", endedAt: null, ending: null });
    for (let at = 0; at <= most; at++)
      await persons.addBrowser({ hash: `browser ${at}`, personId: "per_1", createdAt: at });
  });
  const known = async (at: number) => (await store.read.persons.listByBrowser(`browser ${at}`, 100)).length;
  expect([await known(0), await known(1), await known(most)]).toEqual([0, 1, 1]);
  await store.close();
  await rm(folder, { recursive: true });
});
