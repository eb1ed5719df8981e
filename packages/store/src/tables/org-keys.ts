import { assertTransition, type OrgKeyState, orgKeyTransitions } from "@keyloan/contract";
import { and, asc, desc, eq, inArray, isNull, lt, ne, or, type SQL, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals, withoutMac } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { orgKeys } from "./schema.ts";
import { type StoredCheck, unreadableCheck } from "./stored.ts";

export type OrgKeyRow = Omit<StoredRow, "mac">;

type StoredRow = typeof orgKeys.$inferSelect;

/** What the fields of a version are once it is proven dead: nothing that could be opened. */
export const erasedFields = "";

export function orgKeysTable(database: Database, seals: Seals) {
  const { seal, isGenuine } = createRowSeal(seals, provenTables.orgKeys);
  /** Of one that the broker did not write nothing is known: its envelope proves the key itself. */
  const readRow = (row: StoredRow): OrgKeyRow => ({
    ...withoutMac(row),
    ...(isGenuine(row) ? {} : { facts: {}, check: unreadableCheck }),
  });
  const readOne = (row: StoredRow | undefined) => (row === undefined ? undefined : readRow(row));
  const list = async (where: SQL | undefined, ...order: readonly SQL[]): Promise<OrgKeyRow[]> => {
    const rows = await database
      .select()
      .from(orgKeys)
      .where(where)
      .orderBy(...order);
    return rows.map(readRow);
  };
  const of = (organizationId: string) => eq(orgKeys.organizationId, organizationId);
  const latest = database
    .select()
    .from(orgKeys)
    .where(
      and(
        eq(orgKeys.organizationId, sql.placeholder("organizationId")),
        eq(orgKeys.connectorId, sql.placeholder("connectorId")),
      ),
    )
    .orderBy(desc(orgKeys.version))
    .limit(1)
    .prepare();
  return {
    find: async (id: string): Promise<OrgKeyRow | undefined> =>
      readOne(await database.select().from(orgKeys).where(eq(orgKeys.id, id)).get()),
    /** The newest version, whatever its state. */
    findLatest: async (organizationId: string, connectorId: string): Promise<OrgKeyRow | undefined> =>
      readOne(await latest.get({ organizationId, connectorId })),
    /** Every version of one connector's key, newest first. */
    listVersions: (organizationId: string, connectorId: string): Promise<OrgKeyRow[]> =>
      list(and(of(organizationId), eq(orgKeys.connectorId, connectorId)), desc(orgKeys.version)),
    list: (organizationId: string): Promise<OrgKeyRow[]> =>
      list(of(organizationId), asc(orgKeys.connectorId), desc(orgKeys.version)),
    listActive: (organizationId: string): Promise<OrgKeyRow[]> =>
      list(and(of(organizationId), eq(orgKeys.state, "active"))),
    /** Versions that are lent no more and whose fields are still kept, oldest first. */
    listUnproven: (organizationId: string): Promise<OrgKeyRow[]> =>
      list(
        and(of(organizationId), ne(orgKeys.state, "active"), ne(orgKeys.fields, erasedFields)),
        ...[asc(orgKeys.connectorId), asc(orgKeys.version)],
      ),
    /** Active keys that were put before `putBefore` and of whose age nobody was told since `remindedBefore`. */
    listOld: (organizationId: string, putBefore: number, remindedBefore: number): Promise<OrgKeyRow[]> =>
      list(
        and(
          of(organizationId),
          eq(orgKeys.state, "active"),
          lt(orgKeys.putAt, putBefore),
          or(isNull(orgKeys.remindedAt), lt(orgKeys.remindedAt, remindedBefore)),
        ),
      ),
    insert: async (row: OrgKeyRow): Promise<void> => {
      await database.insert(orgKeys).values(seal(row));
    },
    /** Whoever is told of a key is told anew when its state changes. */
    moveState: async (id: string, from: readonly OrgKeyState[], to: OrgKeyState): Promise<boolean> => {
      for (const state of from) assertTransition(orgKeyTransitions, state, to);
      const result = await database
        .update(orgKeys)
        .set({ state: to, remindedAt: null })
        .where(and(eq(orgKeys.id, id), inArray(orgKeys.state, [...from])));
      return result.rowsAffected === 1;
    },
    /** Ends a version and erases its fields; false when another broker has. */
    retire: async (id: string, provenDeadAt: number | null): Promise<boolean> => {
      const result = await database
        .update(orgKeys)
        .set({ state: "retired", fields: erasedFields, provenDeadAt })
        .where(
          and(
            eq(orgKeys.id, id),
            inArray(orgKeys.state, ["retiring", "retired"]),
            ne(orgKeys.fields, erasedFields),
          ),
        );
      return result.rowsAffected === 1;
    },
    /** Records that somebody is told now; false when another broker has just done so. */
    setReminded: async (row: Pick<OrgKeyRow, "id" | "remindedAt">, at: number): Promise<boolean> => {
      const before =
        row.remindedAt === null ? isNull(orgKeys.remindedAt) : eq(orgKeys.remindedAt, row.remindedAt);
      const result = await database
        .update(orgKeys)
        .set({ remindedAt: at })
        .where(and(eq(orgKeys.id, row.id), before));
      return result.rowsAffected === 1;
    },
    recordCheck: async (
      id: string,
      check: StoredCheck,
      checkedAt: number,
      facts?: OrgKeyRow["facts"],
    ): Promise<void> => {
      const row = await database.select().from(orgKeys).where(eq(orgKeys.id, id)).get();
      if (row === undefined) return;
      // What is known of it is new, whoever wrote what was there before.
      const changes = { check, checkedAt, facts: facts ?? readRow(row).facts };
      const { mac } = seal({ ...row, ...changes });
      await database
        .update(orgKeys)
        .set({ ...changes, mac })
        .where(eq(orgKeys.id, id));
    },
  };
}
