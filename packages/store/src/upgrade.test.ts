import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openStore } from "./open-store.ts";

const migrations = fileURLToPath(new URL("./migrations", import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-upgrade-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A store as the version before a migration made it. */
async function openBefore(tag: string) {
  const earlier = join(folder, "migrations");
  await cp(migrations, earlier, { recursive: true });
  const journalPath = join(earlier, "meta", "_journal.json");
  const journal = JSON.parse(await readFile(journalPath, "utf8")) as { entries: { tag: string }[] };
  const entries = journal.entries.filter((entry) => entry.tag < tag);
  await writeFile(journalPath, JSON.stringify({ ...journal, entries }));
  return openStore({ path: join(folder, "keyloan.db"), migrationsFolder: earlier });
}

it("a build that was switched and taken back before is kept to its longest life, as its user was told", async () => {
  const before = await openBefore("0007");
  const build = (id: string) => ({
    id,
    organizationId: "o1",
    name: id,
    state: "ready" as const,
    profile: "development",
    createdBy: "x",
    createdAt: 1,
    expiresAt: 10,
    renewableUntil: 100,
    closedAt: null,
    settingsVersion: 0,
    revertibleUntil: null,
    finishedAt: null,
    downloadedAt: null,
    lendingEndedAt: null,
    adminRevert: null,
  });
  await before.write([], async (tables) => {
    await tables.builds.insert(build("taken-back"));
    await tables.builds.insert(build("never-switched"));
  });
  const client = createClient({ url: `file:${join(folder, "keyloan.db")}` });
  await client.execute(`INSERT INTO audit_events (id, at, actor, action, entity, details)
    VALUES ('e1', 1, 'x', 'keys.swapped', 'taken-back', '{}'), ('e2', 1, 'x', 'keys.saved', 'never-switched', '{}')`);
  client.close();
  await before.close();
  const store = await openStore({ path: join(folder, "keyloan.db") });
  expect(await store.read.builds.listExpired(50, 10)).toEqual(["never-switched"]);
  expect((await store.read.builds.find("taken-back"))?.state).toBe("handing_off");
  await store.close();
});

it("what needed hands before requires action, and nothing of it is lost", async () => {
  const before = await openBefore("0009");
  await before.close();
  const path = join(folder, "keyloan.db");
  const client = createClient({ url: `file:${path}` });
  const hands = { since: 1, dueAt: 2, steps: [{ text: "Look." }] };
  await client.execute({
    sql: `INSERT INTO jobs (id, kind, entity_id, state, run_after, attempts, fence, created_at, hands)
      VALUES ('job_a', 'issue', 'lea_a', 'needs_hands', 5, 3, 2, 1, ?)`,
    args: [JSON.stringify(hands)],
  });
  await client.execute(`INSERT INTO leases (id, build_id, connector_id, state, grade, handle, options, expires_at,
    attempts, created_at) VALUES ('lea_a', 'bld_a', 'acme', 'needs_hands', 'A', '{}', 'null', 9, 1, 1)`);
  client.close();
  const store = await openStore({ path });
  expect(await store.read.jobs.find("job_a")).toMatchObject({
    ...{ state: "requires_action", requiredAction: hands, attempts: 3, fence: 2 },
  });
  expect((await store.read.leases.find("lea_a"))?.state).toBe("requires_action");
  await store.close();
});
