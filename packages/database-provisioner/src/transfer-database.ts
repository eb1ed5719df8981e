import {
  BrokerError,
  type DatabaseContent,
  type DatabaseSummary,
  type OnProgress,
  showName,
  type TransferProgress,
} from "@keyloan/contract";
import { at, sided, type TransferEnd, TransferFailure } from "./transfer-failure.ts";

export type DatabaseTransfer = {
  readonly content: DatabaseContent;
  readonly from: TransferEnd;
  readonly to: TransferEnd;
  /** The owner of the copy; the target notes it with each thing that is made, until the copy is given to its user. */
  readonly owner: string;
  /** Whether the target's content may be deleted: its user allowed it, and it has not been deleted yet. */
  readonly mayEmpty: boolean;
  /** Resolves once it is recorded that the target may contain something of ours from now on. */
  readonly beforeWriting: () => Promise<void>;
  /** Resolves once it is recorded that the target contained this, and nothing else, when it was proven. */
  readonly afterProof: (summary: DatabaseSummary) => Promise<void>;
  readonly onProgress: (progress: TransferProgress) => void;
};

/**
 * Copies a database that nobody writes to into another one and proves that both contain the same: the schema, and the
 * rows and a hash of each table. The source is read before the copy, the target after it. The schema is held in memory,
 * up to the size that the connector accepts; the rows are streamed.
 * @returns what both contain
 * @throws BrokerError `target_not_empty` before anything is written, or `not_faithful`; TransferFailure. After a
 * failure the target may contain a part of the copy: `takeBackCopy` removes it.
 */
export async function transferDatabase(transfer: DatabaseTransfer): Promise<DatabaseSummary> {
  const { content, from, to, onProgress } = transfer;
  onProgress({ phase: "counting" });
  await at("source", content.finishWrites(from.context, from.values));
  const source = await at(
    "source",
    content.summarize(from.context, from.values, ({ rows, item }) =>
      onProgress({ phase: "counting", rows, ...(item === undefined ? {} : { item }) }),
    ),
  );
  const rowsTotal = countRows(source);
  await prepareTarget(transfer);
  onProgress({ phase: "copying", rows: 0, rowsTotal, bytes: 0 });
  await copy(transfer, rowsTotal);
  onProgress({ phase: "proving", rows: 0, rowsTotal });
  const target = await at(
    "target",
    content.summarize(to.context, to.values, ({ rows, item }) =>
      onProgress({ phase: "proving", rows, rowsTotal, ...(item === undefined ? {} : { item }) }),
    ),
  );
  const differing = differences(source, target);
  if (differing.length > 0) throw notFaithful(differing);
  await transfer.afterProof(target);
  return source;
}

/** Whether a copy may go to a database, because nobody has created anything in it. */
export async function isEmptyDatabase(content: DatabaseContent, end: TransferEnd): Promise<boolean> {
  return at("target", content.isEmpty(end.context, end.values));
}

/** The names of tables, or `the schema`, in which two databases differ. */
export function differences(a: DatabaseSummary, b: DatabaseSummary): string[] {
  const text = ({ rows, sha256 }: DatabaseSummary["tables"][number]) => `${rows} ${sha256}`;
  const others = new Map(b.tables.map((table) => [table.name, text(table)]));
  const changed = a.tables.flatMap((table) => (others.get(table.name) === text(table) ? [] : [table.name]));
  const known = new Set(a.tables.map(({ name }) => name));
  const added = b.tables.flatMap(({ name }) => (known.has(name) ? [] : [name]));
  return [...(a.schemaSha256 === b.schemaSha256 ? [] : ["the schema"]), ...changed, ...added];
}

export function countRows({ tables }: DatabaseSummary): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

async function prepareTarget({ content, to, mayEmpty, beforeWriting, onProgress }: DatabaseTransfer) {
  if (!(await isEmptyDatabase(content, to))) {
    if (!mayEmpty) throw targetNotEmpty("tables");
    onProgress({ phase: "emptying" });
    await at("target", content.empty(to.context, to.values));
  }
  await beforeWriting();
}

async function copy(
  { content, from, to, owner, onProgress }: DatabaseTransfer,
  rowsTotal: number,
): Promise<void> {
  let broken: unknown;
  async function* dump() {
    try {
      yield* content.dump(from.context, from.values);
    } catch (error) {
      // The loader may replace the error of the dump with its own.
      broken = sided("source", error);
      throw error;
    }
  }
  try {
    const report: OnProgress = ({ rows, bytes, item }) =>
      onProgress({ phase: "copying", rows, rowsTotal, bytes, ...(item === undefined ? {} : { item }) });
    await content.load(to.context, to.values, dump(), report, owner);
  } catch (error) {
    const failure = broken ?? sided("target", error);
    // Somebody has written to the target since it was checked.
    if (
      failure instanceof TransferFailure &&
      failure.side === "target" &&
      failure.failure.code === "conflict"
    )
      throw targetNotEmpty("tables");
    throw failure;
  }
}

/** How much of a file's name a refusal shows. */
const fileCharactersMax = 120;

/**
 * The 409 for a target whose owner has not allowed its content to be overwritten.
 * @param file the name of the file that is in the way
 */
export function targetNotEmpty(what: "tables" | "files", file?: string): BrokerError {
  const consequence =
    what === "tables" ? "everything in it is deleted then" : "files of the same name are replaced then";
  const found =
    file === undefined
      ? `the target already contains ${what}`
      : `the file ${showName(file, fileCharactersMax)} already exists there and differs from what was copied`;
  return new BrokerError("target_not_empty", found, {
    remedy: `Use an empty one, or allow what is there to be overwritten: ${consequence}.`,
  });
}

export function notFaithful(differing: readonly string[]): BrokerError {
  return new BrokerError("not_faithful", "the copy does not hold the same data as the lent original", {
    remedy:
      "Nothing was switched, and the lent data was not changed. Try again; if it happens again, tell the operator.",
    details: { differing: differing.slice(0, 20) },
  });
}
