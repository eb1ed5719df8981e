import {
  BrokerError,
  type DatabaseContent,
  type DatabaseSummary,
  type TransferProgress,
} from "@keyloan/contract";
import { at, sided, type TransferEnd } from "./transfer-failure.ts";

export type DatabaseTransfer = {
  readonly content: DatabaseContent;
  readonly from: TransferEnd;
  readonly to: TransferEnd;
  /** What the target holds may go: its owner said so, or it is what an attempt before this one left there. */
  readonly mayEmpty: boolean;
  /** Resolves when it is kept that the target holds something of us from now on. */
  readonly beforeWriting: () => Promise<void>;
  readonly onProgress: (progress: TransferProgress) => void;
};

/**
 * Copies a database that nobody writes to into another one and proves that both hold the same: schema, rows and a
 * hash for each table, read again at both ends. Its schema is held, up to the size that the connector takes; its rows
 * pass through.
 * @returns what both hold
 * @throws BrokerError `target_not_empty` before anything is written, or `not_faithful`; TransferFailure. After a
 * failure the target may hold a part: {@link DatabaseContent.empty} takes it away.
 */
export async function transferDatabase(transfer: DatabaseTransfer): Promise<DatabaseSummary> {
  const { content, from, to, onProgress } = transfer;
  onProgress({ phase: "counting" });
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
  return source;
}

/** Whether a database holds no table. Stops reading at the first it finds, however much there is. */
export async function isEmptyDatabase(content: DatabaseContent, end: TransferEnd): Promise<boolean> {
  const enough = new AbortController();
  const context = { ...end.context, signal: AbortSignal.any([end.context.signal, enough.signal]) };
  try {
    const summary = await content.summarize(context, end.values, ({ rows, item }) => {
      if (rows > 0 || item !== undefined) enough.abort();
    });
    return summary.tables.length === 0;
  } catch (error) {
    if (enough.signal.aborted && !end.context.signal.aborted) return false;
    throw sided("target", error);
  }
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
  const empty = await isEmptyDatabase(content, to);
  if (!empty && !mayEmpty) throw targetNotEmpty("tables");
  await beforeWriting();
  if (empty) return;
  onProgress({ phase: "emptying" });
  await at("target", content.empty(to.context, to.values));
}

async function copy({ content, from, to, onProgress }: DatabaseTransfer, rowsTotal: number): Promise<void> {
  let broken: unknown;
  async function* dump() {
    try {
      yield* content.dump(from.context, from.values);
    } catch (error) {
      // Whoever reads the dump may tell of it in words of its own.
      broken = sided("source", error);
      throw error;
    }
  }
  try {
    await content.load(to.context, to.values, dump(), ({ rows, bytes, item }) =>
      onProgress({ phase: "copying", rows, rowsTotal, bytes, ...(item === undefined ? {} : { item }) }),
    );
  } catch (error) {
    throw broken ?? sided("target", error);
  }
}

/** The 409 for a target whose owner has not said that what it holds may go. */
export function targetNotEmpty(what: "tables" | "files"): BrokerError {
  const consequence =
    what === "tables" ? "everything in it is deleted then" : "files of the same name are replaced then";
  return new BrokerError("target_not_empty", `there are ${what} already where the data should go`, {
    remedy: `Take an empty one, or say that what is there may be overwritten: ${consequence}.`,
  });
}

export function notFaithful(differing: readonly string[]): BrokerError {
  return new BrokerError("not_faithful", "the copy does not hold the same as what was lent", {
    remedy:
      "Nothing was switched, and the lent data is as it was. Try again; if it happens again, tell the operator.",
    details: { differing: differing.slice(0, 20) },
  });
}
