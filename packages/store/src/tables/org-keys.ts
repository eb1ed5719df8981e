import { assertTransition, type OrgKeyState, orgKeyTransitions } from "@keyloan/contract";
import { and, asc, desc, eq, isNull, lt, ne, or, type SQL, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { orgKeys } from "./schema.ts";
import type { StoredCheck } from "./stored.ts";

export type OrgKeyRow = Omit<typeof orgKeys.$inferSelect, "mac">;

/** The fields of a version once it is retired: nothing that could be opened. */
export const erasedFields = "";

export function orgKeysTable(database: Database, seals: Seals) {
  const { seal, reseal, open, openAll } = createRowSeal(seals, provenTables.orgKeys);
  const list = async (where: SQL | undefined, ...order: readonly SQL[]): Promise<OrgKeyRow[]> =>
    openAll(
      await database
        .select()
        .from(orgKeys)
        .where(where)
        .orderBy(...order),
    );
  const find = async (id: string): Promise<OrgKeyRow | undefined> =>
    open(await database.select().from(orgKeys).where(eq(orgKeys.id, id)).get());
  /** Changes a key if `isMeant` accepts it; false if not. */
  const change = async (
    id: string,
    changes: Partial<OrgKeyRow>,
    isMeant: (row: OrgKeyRow) => boolean = () => true,
  ): Promise<boolean> => {
    const row = await find(id);
    if (row === undefined || !isMeant(row)) return false;
    const result = await database.update(orgKeys).set(reseal(row, changes)).where(eq(orgKeys.id, id));
    return result.rowsAffected === 1;
  };
  const of = (organizationId: string) => eq(orgKeys.organizationId, organizationId);
  const versions = database
    .select()
    .from(orgKeys)
    .where(
      and(
        eq(orgKeys.organizationId, sql.placeholder("organizationId")),
        eq(orgKeys.connectorId, sql.placeholder("connectorId")),
      ),
    )
    .orderBy(desc(orgKeys.version))
    .prepare();
  return {
    find,
    /** The newest version, whatever its state. */
    findLatest: async (organizationId: string, connectorId: string): Promise<OrgKeyRow | undefined> =>
      openAll(await versions.all({ organizationId, connectorId }))[0],
    /** The number of the next version of a connector's key: higher than all stored ones, whoever wrote them. */
    nextVersion: async (organizationId: string, connectorId: string): Promise<number> => {
      const [newest] = await versions.all({ organizationId, connectorId });
      return (newest?.version ?? 0) + 1;
    },
    /** Every version of one connector's key, newest first. */
    listVersions: (organizationId: string, connectorId: string): Promise<OrgKeyRow[]> =>
      list(and(of(organizationId), eq(orgKeys.connectorId, connectorId)), desc(orgKeys.version)),
    list: (organizationId: string): Promise<OrgKeyRow[]> =>
      list(of(organizationId), asc(orgKeys.connectorId), desc(orgKeys.version)),
    listActive: (organizationId: string): Promise<OrgKeyRow[]> =>
      list(and(of(organizationId), eq(orgKeys.state, "active"))),
    /** Versions that are no longer lent but whose fields are still kept, by connector, oldest first. */
    listUnproven: (organizationId: string): Promise<OrgKeyRow[]> =>
      list(
        and(of(organizationId), ne(orgKeys.state, "active"), ne(orgKeys.fields, erasedFields)),
        ...[asc(orgKeys.connectorId), asc(orgKeys.version)],
      ),
    /** Active keys that were put before `putBefore` and have not been reported as old since `remindedBefore`. */
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
    /** Changes the state, and clears the last reminder so that one about the new state is sent. */
    moveState: async (id: string, from: readonly OrgKeyState[], to: OrgKeyState): Promise<boolean> => {
      for (const state of from) assertTransition(orgKeyTransitions, state, to);
      return change(id, { state: to, remindedAt: null }, ({ state }) => from.includes(state));
    },
    /** Retires a replaced version and erases its fields; false if it is active, or another broker has done so. */
    retire: (id: string, provenDeadAt: number | null): Promise<boolean> =>
      change(
        id,
        { state: "retired", fields: erasedFields, provenDeadAt },
        ({ state, fields }) => state !== "active" && fields !== erasedFields,
      ),
    /** Records a reminder; false if another broker has just recorded one. */
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
      await change(id, { check, checkedAt, ...(facts === undefined ? {} : { facts }) });
    },
  };
}
