import { and, desc, eq, isNotNull, sql } from "drizzle-orm";
import { type ChainEnd, chainStart, hashRow } from "../audit-chain.ts";
import type { Database } from "../database.ts";
import type { createEndFinder } from "./audit-end.ts";
import type { AuditEventRow } from "./audit-events.ts";
import { asHash, isInChain, rowColumns } from "./audit-rows.ts";
import { auditEvents } from "./schema.ts";

const pageRows = 500;

type Rows = Pick<ReturnType<typeof createEndFinder>, "find" | "findLast"> & {
  readonly pageAfter: (sequence: number, limit: number) => Promise<AuditEventRow[]>;
};

/** The result chains at most `limit` rows from before the chain existed, and returns whether any are left. */
export function createOlderChainer(database: Database, { find, findLast, pageAfter }: Rows) {
  const setHash = database
    .update(auditEvents)
    .set({ previousHash: sql`${sql.placeholder("previousHash")}`, hash: sql`${sql.placeholder("hash")}` })
    .where(eq(auditEvents.sequence, sql.placeholder("sequence")))
    .prepare();

  /** How far older rows were chained by this handle; a rollback may have undone it. */
  let chainedTo: ChainEnd | undefined;
  const findChainedTo = async (): Promise<ChainEnd> => {
    if (chainedTo !== undefined && (await find(chainedTo.sequence))?.hash === chainedTo.hash)
      return chainedTo;
    const row = await database
      .select({ sequence: auditEvents.sequence, hash: rowColumns.hash })
      .from(auditEvents)
      .where(and(isInChain, isNotNull(auditEvents.hash)))
      .orderBy(desc(auditEvents.sequence))
      .limit(1)
      .get();
    const hash = asHash(row?.hash);
    return row === undefined || hash === null ? chainStart : { sequence: row.sequence, hash };
  };
  const chainOlder = async (rowsAtOnceMax: number): Promise<void> => {
    let last = await findChainedTo();
    for (let left = rowsAtOnceMax; left > 0; left -= pageRows) {
      const rows = await pageAfter(last.sequence, Math.min(left, pageRows));
      for (const row of rows) {
        const hash = hashRow({ ...row, previousHash: last.hash });
        await setHash.run({ sequence: row.sequence, previousHash: last.hash, hash });
        last = { sequence: row.sequence, hash };
      }
      if (rows.length < pageRows) break;
    }
    chainedTo = last;
  };
  return async (limit: number): Promise<boolean> => {
    if ((await findLast())?.hash !== null) return false;
    await chainOlder(limit);
    return (await findLast())?.hash === null;
  };
}
