import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "./run.ts";

/** What a crash must never leave. */
export type Finding = { readonly kind: "lost" | "orphaned"; readonly what: string };

type LeaseFacts = {
  readonly id: string;
  readonly connector_id: string;
  readonly state: string;
  readonly handle: string;
  readonly build_state: string;
};

const owning = new Set(["planned", "active", "releasing", "requires_action", "failed"]);

/** Compares providers with rows, looks for half flipped bindings and for a lease that ran twice. */
export async function checkRows(run: Run): Promise<Finding[]> {
  const leases = run.rows<LeaseFacts>(
    "SELECT l.id, l.connector_id, l.state, l.handle, b.state AS build_state FROM leases l JOIN builds b ON b.id = l.build_id",
  );
  return [
    ...(await orphans(run, leases)),
    ...(await missing(run, leases)),
    ...doubles(run),
    ...strangeBindings(run),
  ];
}

async function orphans(run: Run, leases: readonly LeaseFacts[]): Promise<Finding[]> {
  const owned = new Set(
    leases.filter(({ state }) => owning.has(state)).map(({ id }) => id.slice(id.indexOf("_") + 1)),
  );
  const builds = run.rows<{ id: string }>("SELECT id FROM builds WHERE state <> 'closed'");
  for (const { id } of builds) owned.add(id.slice(id.indexOf("_") + 1));
  return (await run.world.listHeld())
    .filter(({ suffix }) => !owned.has(suffix))
    .map(({ connectorId, name }) => ({ kind: "orphaned", what: `${connectorId} still holds ${name}` }));
}

async function missing(run: Run, leases: readonly LeaseFacts[]): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { id, connector_id, state, handle } of leases) {
    if (state !== "active") continue;
    // The store's own column: an object of names.
    const there = await run.world.databaseExists(connector_id, JSON.parse(handle) as Record<string, string>);
    if (there === false) found.push({ kind: "lost", what: `${id} is active and its database is gone` });
  }
  return found;
}

/** Fences let one result of a job in; each lease is issued and released once. */
function doubles(run: Run): Finding[] {
  const rows = run.rows<{ action: string; entity: string; details: string; count: number }>(
    `SELECT action, entity, details, count(*) AS count FROM audit_events
     WHERE action IN ('lease.issued', 'lease.released', 'build.closed', 'build.ready')
     GROUP BY action, entity, details HAVING count(*) > 1`,
  );
  return rows.map(({ action, entity, count }) => ({
    kind: "lost",
    what: `${action} of ${entity} happened ${count} times`,
  }));
}

function strangeBindings(run: Run): Finding[] {
  const rows = run.rows<{ build_id: string; connector_id: string; source: string }>(
    `SELECT b.build_id, b.connector_id, b.source FROM bindings b JOIN builds d ON d.id = b.build_id
     WHERE d.state IN ('ready', 'handing_off', 'handed_off') AND (
       (b.source = 'user' AND (b.user_key_id IS NULL OR b.user_key_id NOT IN (SELECT id FROM user_keys)))
       OR (b.source = 'org' AND b.lease_id NOT IN (SELECT id FROM leases WHERE state <> 'planned')))`,
  );
  return rows.map(({ build_id, connector_id, source }) => ({
    kind: "lost",
    what: `the binding of ${build_id} to ${connector_id} says ${source} and leads nowhere`,
  }));
}

/** Every lease of a closed build has ended, and nothing of ours is left anywhere. */
export async function checkClosed(run: Run): Promise<Finding[]> {
  const open = run.rows<{ id: string; state: string; last_error: string | null }>(
    "SELECT id, state, last_error FROM leases WHERE state <> 'released'",
  );
  const builds = run.rows<{ id: string; state: string }>(
    "SELECT id, state FROM builds WHERE state <> 'closed'",
  );
  const held = await run.world.listHeld();
  const files = await archiveFiles(run.folder);
  return [
    ...open.map(({ id, state }) => ({ kind: "lost" as const, what: `${id} stays ${state} after the close` })),
    ...builds.map(({ id, state }) => ({ kind: "lost" as const, what: `${id} stays ${state}` })),
    ...held.map(({ connectorId, name }) => ({
      kind: "orphaned" as const,
      what: `${connectorId} still holds ${name} after the close`,
    })),
    ...files.map((file) => ({ kind: "orphaned" as const, what: `the archive file ${file} is left` })),
  ];
}

async function archiveFiles(folder: string): Promise<readonly string[]> {
  return readdir(join(folder, "data", "archives")).catch(() => []);
}

/** Looks for secrets in the clear in everything that the run has written. */
export async function checkSecrets(run: Run, secrets: ReadonlySet<string>): Promise<Finding[]> {
  const found: Finding[] = [];
  const files = await readdir(run.folder, { recursive: true, withFileTypes: true });
  const texts: [string, Buffer][] = [["the log", Buffer.from(run.output())]];
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    texts.push([file.name, await readFile(path)]);
  }
  for (const [name, bytes] of texts) {
    for (const secret of secrets) {
      if (bytes.includes(secret)) found.push({ kind: "lost", what: `${name} holds a secret in the clear` });
    }
  }
  return found;
}
