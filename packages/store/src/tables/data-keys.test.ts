import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { expect, test } from "vitest";
import { openStore } from "../open-store.ts";
import { keyIdsQuery } from "./data-keys.ts";

test("the root keys in use are found in the index, however many data keys they wrap", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-data-keys-"));
  const path = join(folder, "keyloan.db");
  const store = await openStore({ path });
  expect(await store.read.dataKeys.listKeyIds()).toEqual([]);
  const row = { wrapped: "w", createdAt: 1 };
  await store.write([], async ({ dataKeys }) => {
    for (const [index, kid] of ["rk-b", "rk-a", "rk-b", "", "rk-a"].entries())
      await dataKeys.insert({ ...row, id: `key ${index}`, ownerId: `owner ${index}`, kid });
  });
  expect(await store.read.dataKeys.listKeyIds()).toEqual(["", "rk-a", "rk-b"]);
  const client = createClient({ url: `file:${path}` });
  const { rows } = await client.execute(
    `EXPLAIN QUERY PLAN ${new SQLiteAsyncDialect().sqlToQuery(keyIdsQuery).sql}`,
  );
  const ofTable = rows.map(({ detail }) => String(detail)).filter((detail) => detail.includes("data_keys"));
  expect(ofTable).toEqual(ofTable.map(() => expect.stringMatching(/^SEARCH .* INDEX data_keys_kid/)));
  expect(ofTable).not.toEqual([]);
  client.close();
  await store.close();
  await rm(folder, { recursive: true });
});
