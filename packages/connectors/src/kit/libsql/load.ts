import { type OnProgress, ProviderError } from "@keyloan/contract";
import { integerOf, onlyCellOf } from "./cells.ts";
import { readOne, type Write, write } from "./database.ts";
import type { DumpDefinition, DumpHead } from "./dump-format.ts";
import { brokenDump, notFaithful } from "./errors.ts";
import { type FinishingStep, finishingSteps } from "./finish-load.ts";
import { beginJournal, noteOf, settle } from "./journal.ts";
import { mentionsLoadTable } from "./names.ts";
import { type LibsqlDatabase, runPipeline } from "./pipeline.ts";
import { type DumpRecord, readDump } from "./read-dump.ts";
import { mentions } from "./read-schema.ts";
import { argumentsOf } from "./values.ts";
import { createRowWriter, type RowWriter } from "./write-rows.ts";

/**
 * Fills an empty database from a dump, in transactions of limited size. Indexes, views and triggers are made last, once
 * the whole dump was read and is known to be unaltered. What was loaded before a failure stays.
 * @param owner named by the journal in the database until `settle` is called; absent: the load ends with `settle`
 * @throws ProviderError `conflict` when the database is not empty, `rejected` for a dump that is cut short or
 * altered, or when the database does not accept its content
 */
export async function load(
  database: LibsqlDatabase,
  dump: AsyncIterable<Uint8Array>,
  onProgress?: OnProgress,
  owner = nobody,
): Promise<void> {
  const progress = { bytes: 0 };
  const rows = createRowWriter(database, owner);
  // After a failure the caller may empty the database at once, so `rows.settle` first waits for the last write.
  const begin = (head: DumpHead) => prepare(database, head, owner);
  const definitions = await loadRows(database, rows, counted(dump, progress), begin, () => {
    onProgress?.({ ...progress, rows: rows.count(), ...rows.item() });
  }).finally(rows.settle);
  for (const steps of finishingSteps(definitions)) {
    const writes = steps.flatMap((step) => toWrites(step, owner));
    await write(database, writes, finishTimeoutMs);
  }
  if (owner === nobody) await settle(database, owner);
  onProgress?.({ ...progress, rows: rows.count() });
}

/** The owner of a load that is never taken back. No id is empty. */
const nobody = "";

/** Long, because one statement makes an index over all rows of a large table. */
const finishTimeoutMs = 15 * 60_000;

/** Makes and fills the tables. @returns all definitions of the dump, tables included */
async function loadRows(
  database: LibsqlDatabase,
  rows: RowWriter,
  dump: AsyncIterable<Uint8Array>,
  begin: (head: DumpHead) => Promise<void>,
  onRecords: () => void,
): Promise<readonly DumpDefinition[]> {
  const definitions: DumpDefinition[] = [];
  let made = 0;
  const makeTables = async () => {
    for (; made < definitions.length; made++) await rows.define(definitions[made]);
  };
  for await (const records of readDump((fault) => brokenDump(database.provider, fault), dump)) {
    for (const record of records) {
      if (record.kind === "head") await begin(record.head);
      else if (record.kind === "definition") {
        const { definition } = record;
        if (mentionsLoadTable(definition.sql)) throw notFaithful(database.provider, mentions(definition));
        definitions.push(definition);
      } else {
        await makeTables();
        await loadRecord(rows, record);
      }
    }
    onRecords();
  }
  await makeTables();
  await rows.finish();
  return definitions;
}

function toWrites({ sql, values = [], what, does }: FinishingStep, owner: string): readonly Write[] {
  const made = { sql, args: argumentsOf(values), what };
  return does?.kind === "define" ? [made, noteOf(owner, does.definition)] : [made];
}

async function loadRecord(
  rows: RowWriter,
  record: Exclude<DumpRecord, { readonly kind: "head" | "definition" }>,
): Promise<void> {
  if (record.kind === "part") await rows.part(record.base64);
  else if (record.kind === "row") await rows.row(record.values);
  else await rows.table(record.table);
}

async function prepare(database: LibsqlDatabase, head: DumpHead, owner: string): Promise<void> {
  const { provider } = database;
  if (!(await beginJournal(database, owner))) {
    throw new ProviderError(
      provider,
      "conflict",
      "already has content, and only an empty database can be filled",
      {
        remedy: "Empty the database, or choose a new one.",
      },
    );
  }
  try {
    await keepNumber(database, "user_version", head.userVersion);
    await keepNumber(database, "application_id", head.applicationId);
  } catch (error) {
    // Nothing was loaded yet, so the journal is removed too.
    await settle(database, owner).catch(() => undefined);
    throw error;
  }
}

/** Sets a number of the source. Turso does not allow it; if the number differs and cannot be set, nothing is moved. */
async function keepNumber(
  database: LibsqlDatabase,
  pragma: "user_version" | "application_id",
  wanted: number,
): Promise<void> {
  const read = async () =>
    integerOf(
      database,
      onlyCellOf(await readOne(database, `SELECT ${pragma} FROM pragma_${pragma}`, `reading ${pragma}`)),
    );
  if ((await read()) === wanted) return;
  await runPipeline(database, [`PRAGMA ${pragma}=${wanted}`]);
  if ((await read()) === wanted) return;
  throw new ProviderError(
    database.provider,
    "rejected",
    `cannot keep ${pragma}, which is ${wanted} in the source`,
    {
      remedy: `Set ${pragma} to 0 in the source if the app does not need it, or move this database by hand.`,
    },
  );
}

async function* counted(
  dump: AsyncIterable<Uint8Array>,
  progress: { bytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of dump) {
    progress.bytes += chunk.length;
    yield chunk;
  }
}
