import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore } from "./open-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-store-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const organization = (id: string) => ({ id, name: "Org", createdAt: 1 });

test("a copy holds what was committed, opens by itself, and the store goes on", async () => {
  const store = await openStore({ path: join(folder, "keyloan.db") });
  await store.write([], (tables) => tables.organizations.insert(organization("o'1")));
  const path = join(folder, "it's a copy.db");
  await store.copyTo(path);
  await store.write([], (tables) => tables.organizations.insert(organization("o2")));
  const copy = await openStore({ path });
  expect((await copy.read.organizations.first())?.id).toBe("o'1");
  await copy.write([], (tables) => tables.organizations.insert(organization("o3")));
  await copy.checkIntegrity();
  await copy.close();
  await store.checkIntegrity();
  await store.close();
});

test("a copy never overwrites what is there", async () => {
  const store = await openStore({ path: join(folder, "keyloan.db") });
  const path = join(folder, "there.db");
  await writeFile(path, "something else");
  await expect(store.copyTo(path)).rejects.toMatchObject({ name: "StoreError" });
  expect(await readFile(path, "utf8")).toBe("something else");
  await store.close();
});

test("an index that leaves out rows of its table is noticed", async () => {
  const path = join(folder, "keyloan.db");
  const store = await openStore({ path });
  const event = { id: "e", at: 1, actor: "a", action: "b", entity: "hidden", details: "{}", requestId: null };
  await store.appendAudit([event]);
  await store.checkIntegrity();
  await store.close();
  const client = createClient({ url: `file:${path}` });
  const where = "name = 'audit_events_entity'";
  const { rows } = await client.execute(`SELECT sql FROM sqlite_schema WHERE ${where}`);
  for (const statement of [
    "PRAGMA writable_schema = ON",
    "DROP INDEX audit_events_entity",
    `${rows[0]?.sql} WHERE entity <> 'hidden'`,
    `UPDATE sqlite_schema SET sql = '${rows[0]?.sql}' WHERE ${where}`,
  ])
    await client.execute(statement);
  client.close();
  const altered = await openStore({ path });
  await expect(altered.checkIntegrity()).rejects.toMatchObject({ code: "corrupt" });
  await altered.close();
});

test("a damaged file is noticed", async () => {
  const path = join(folder, "keyloan.db");
  const store = await openStore({ path });
  for (let index = 0; index < 200; index++) {
    await store.write([], (tables) => tables.organizations.insert(organization(`organization-${index}`)));
  }
  await store.eraseDeleted();
  await store.close();
  const bytes = await readFile(path);
  const place = bytes.indexOf("organization-7");
  bytes.fill(0xff, place - 64, place + 64);
  await writeFile(path, bytes);
  const damaged = await openStore({ path });
  await expect(damaged.checkIntegrity()).rejects.toMatchObject({ code: "corrupt" });
  await damaged.close();
});
