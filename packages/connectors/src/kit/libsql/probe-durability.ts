import { type ConnectorContext, type DurabilityAnswer, ProviderError, showName } from "@keyloan/contract";
import { hexTextOf, holdsInteger, onlyCellOf, textOf } from "./cells.ts";
import { readOne } from "./database.ts";
import { probeTableName, probeTime, quoteName } from "./names.ts";
import { type LibsqlDatabase, type PipelineAnswer, runPipeline, type StatementResult } from "./pipeline.ts";

type Step = DurabilityAnswer["steps"][number];

const leftoverAgeMs = 3600_000;
const what = "a probe of its durability";

/**
 * Writes a row into a table of our own, reads it back on another connection, removes both, and checks whether the
 * database is a file. Every call uses a new connection.
 * @throws ProviderError when the database gives no usable answer; what it answers is reported in the steps
 */
export async function probeDurability(
  database: LibsqlDatabase,
  { now, randomBytes }: Pick<ConnectorContext, "now" | "randomBytes">,
  { migrationsTable }: { readonly migrationsTable?: string },
): Promise<DurabilityAnswer> {
  await removeLeftovers(database, now());
  const table = probeTableName(now(), randomBytes);
  const value = Buffer.from(randomBytes(4)).readUInt32BE();
  const steps: Step[] = [];
  try {
    steps.push(await writeStep(database, table, value));
    if (steps[0]?.ok === true) {
      steps.push(await readStep(database, table, value));
      steps.push(await deleteStep(database, table));
    }
  } finally {
    if (!steps.some(({ name, ok }) => name === "delete" && ok)) await removeQuietly(database, table);
  }
  steps.push(await diskStep(database));
  if (migrationsTable !== undefined) steps.push(await migrationsStep(database, migrationsTable));
  return { steps };
}

async function writeStep(database: LibsqlDatabase, table: string, value: number): Promise<Step> {
  const answer = await ask(database, [
    `CREATE TABLE ${table}(id INTEGER PRIMARY KEY, value INTEGER NOT NULL)`,
    `INSERT INTO ${table} VALUES(1,${value})`,
  ]);
  const ok = succeeded(answer, 2);
  return step(
    "write",
    ok,
    ok ? "A row was written." : `The database does not accept a row${refusalOf(answer)}.`,
  );
}

async function readStep(database: LibsqlDatabase, table: string, value: number): Promise<Step> {
  const answer = await ask(database, [`SELECT value FROM ${table}`]);
  const first = answer.results?.[0];
  const ok = first?.ok === true && holdsInteger(first.rows, value);
  const lost = `The row that was written is not there on a new connection${refusalOf(answer)}.`;
  return step("read_back", ok, ok ? "The row was read back on a new connection." : lost);
}

async function deleteStep(database: LibsqlDatabase, table: string): Promise<Step> {
  const answer = await ask(database, [`DELETE FROM ${table}`, `DROP TABLE ${table}`]);
  const found = succeeded(answer, 2) ? await countTables(database, table) : undefined;
  const ok = found === 0;
  const kept = `The row that was written cannot be removed${refusalOf(answer)}.`;
  return step("delete", ok, ok ? "The row and its table were removed." : kept);
}

/** A server reports the file of a database; one in memory has no file. Passes if the server does not report it. */
async function diskStep(database: LibsqlDatabase): Promise<Step> {
  const answer = await ask(database, ["SELECT hex(file) FROM pragma_database_list WHERE name='main'"]);
  const first = answer.results?.[0];
  if (first?.ok !== true)
    return step("on_disk", true, "The server does not report where it keeps the database.");
  const cell = onlyCellOf(first.rows);
  const file = cell?.type === "text" ? textOf(database, cell) : "";
  const inMemory = file === "" || /^:memory:/.test(hexTextOf(database, { type: "text", value: file }) ?? "");
  return inMemory
    ? step("on_disk", false, "The database is kept in memory only: it is lost when its server ends.")
    : step("on_disk", true, "The database is kept in a file.");
}

async function migrationsStep(database: LibsqlDatabase, table: string): Promise<Step> {
  const ok = (await countTables(database, table)) > 0;
  const message = ok
    ? `The migrations table ${showName(table)} is there.`
    : `There is no migrations table ${showName(table)}: run the migrations first.`;
  return step("migrations_table", ok, message);
}

function step(name: Step["name"], ok: boolean, message: string): Step {
  return { name, ok, message };
}

/** @throws ProviderError when the answer does not show whether the database keeps what is written */
async function ask(database: LibsqlDatabase, statements: readonly string[]): Promise<PipelineAnswer> {
  const answer = await runPipeline(database, statements);
  const busy = answer.results?.some((result) => !result.ok && result.code === "SQLITE_BUSY");
  if (busy === true) throw new ProviderError(database.provider, "unavailable", "is busy with another write");
  return answer;
}

function succeeded({ results = [] }: PipelineAnswer, count: number): boolean {
  return results.length === count && results.every(({ ok }) => ok);
}

function refusalOf({ status, results = [] }: PipelineAnswer): string {
  if (status !== 200) return ` (it answered ${status})`;
  const failed = results.find((result): result is Extract<StatementResult, { ok: false }> => !result.ok);
  return failed === undefined ? "" : ` (${failed.code})`;
}

async function countTables(database: LibsqlDatabase, table: string): Promise<number> {
  const args = [JSON.stringify({ type: "text", value: table })];
  const sql = "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=? COLLATE NOCASE";
  return (await readOne(database, { sql, args }, what)).length;
}

/** Removes tables that interrupted probes left behind. Tables of probes that are under way are younger, and stay. */
async function removeLeftovers(database: LibsqlDatabase, nowMs: number): Promise<void> {
  const sql = "SELECT hex(name) FROM sqlite_schema WHERE type='table' AND name GLOB '_keyloan_probe_*'";
  const rows = await readOne(database, sql, what);
  const names = rows.map((row) => hexTextOf(database, row[0]) ?? "");
  for (const name of names) {
    if ((probeTime(name) ?? nowMs) < nowMs - leftoverAgeMs) await removeQuietly(database, name);
  }
}

/** Tries to remove a table; if that fails, a later probe removes it. */
async function removeQuietly(database: LibsqlDatabase, table: string): Promise<void> {
  // The table must be removed even if the caller has given up, so this does not use the caller's signal.
  const context = { ...database.context, signal: AbortSignal.timeout(10_000) };
  const drop = `DROP TABLE IF EXISTS ${quoteName(table)}`;
  await runPipeline({ ...database, context }, [drop]).catch(() => undefined);
}
