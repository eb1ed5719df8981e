import { sql } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { toStoreError } from "./errors.ts";
import type { LoadedShape } from "./store-shape.ts";
import type { NewAuditEvent, WrittenRow } from "./tables/audit-events.ts";
import type { Tables } from "./tables/index.ts";

/** One queued write; without `run` it consists of audit rows only. */
export type Unit = {
  readonly run: ((tables: Tables) => Promise<unknown>) | undefined;
  readonly audit: readonly NewAuditEvent[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/** Units run on this thread, so after this time the group is committed and requests get their turn. */
const groupMsMax = 4;
/** The same limit while requests wait for their audit rows. */
const groupMsMaxWhenWaited = 1;

type Ran = {
  readonly written: readonly WrittenRow[];
  readonly requestIds: readonly string[];
  readonly settle: () => void;
  /** Units that there was no time left to run. */
  readonly left: readonly Unit[];
};

/** Runs units in one transaction while there is time. Call the result's `settle` once the commit is durable. */
export async function runGroup(
  connection: Connection,
  tables: Tables,
  loaded: LoadedShape,
  group: readonly Unit[],
): Promise<Ran> {
  const { database } = connection;
  const { auditEvents } = tables;
  const written: WrittenRow[] = [];
  auditEvents.takeWritten();
  const settlements: (() => void)[] = [];
  const alone = group.length === 1;
  const isWaited = group.some((unit) => unit.run === undefined);
  const until = performance.now() + (isWaited ? groupMsMaxWhenWaited : groupMsMax);
  const left: Unit[] = [];
  for (const unit of group) {
    if (unit.run === undefined) continue;
    if (settlements.length > 0 && performance.now() > until) {
      left.push(unit);
      continue;
    }
    if (!alone) await database.run(sql`SAVEPOINT unit`);
    try {
      const value = await unit.run(tables);
      written.push(...auditEvents.takeWritten());
      settlements.push(() => unit.resolve(value));
    } catch (error) {
      if (alone) throw error;
      await database.run(sql`ROLLBACK TO unit`);
      auditEvents.forgetEnd();
      auditEvents.takeWritten();
      settlements.push(() => unit.reject(toStoreError(error)));
    }
    if (!alone) await database.run(sql`RELEASE unit`);
  }
  const audits = group.filter((unit) => unit.run === undefined);
  await auditEvents.insertAll(audits.flatMap((unit) => unit.audit));
  written.push(...auditEvents.takeWritten());
  if (!loaded.isSound()) await auditEvents.requireStanding(written);
  for (const unit of audits) settlements.push(() => unit.resolve(undefined));
  const settle = () => {
    for (const each of settlements) each();
  };
  const requestIds = written.flatMap(({ requestId }) => requestId ?? []);
  return { written, requestIds, settle, left };
}
