import { Secret } from "@keyloan/contract";
import { provenLevel, type Tables } from "@keyloan/store";
import { type DataKey, openValue, sealValue, VaultError } from "@keyloan/vault";
import * as z from "zod";
import type { Deps } from "./deps.ts";
import { sealingContexts } from "./sealing/contexts.ts";
import { withOrgDataKey } from "./sealing/data-key.ts";

const stateSchema = z.object({
  /** The highest counter that a head was signed with. */
  heads: z.number().int().min(0),
  /** Heads after one counter and through another were given up: they are not in this store. */
  lost: z.array(
    z.object({
      after: z.number().int(),
      through: z.number().int(),
      /** The head from outside that told of them. */
      head: z.object({ sequence: z.number().int(), hash: z.string() }).optional(),
    }),
  ),
  /** The first row that has a MAC; absent before the upgrade. */
  macFrom: z.number().int().min(1).optional(),
  /** What of the other tables has MACs, as the store counts it; absent before there was more than the first level. */
  rowsLevel: z.number().int().min(1).optional(),
  /** An upgrade to that level has begun: rows may have been proven already. */
  rowsUpgrading: z.number().int().min(1).optional(),
  /** The last row whose head a sink has taken; the sink by a hash of its address. */
  delivered: z.object({ sink: z.string(), sequence: z.number().int() }).optional(),
});

/** What is kept sealed of the audit, so that whoever writes to the store cannot make it up. */
export type AuditState = z.output<typeof stateSchema>;

/** The state with the text it was read from, by which a change finds out whether it is still so. */
export type ReadState = { readonly text: string; readonly state: AuditState };

type StateDeps = Pick<Deps, "store" | "keyring" | "organizationId">;

export const firstAuditState: AuditState = { heads: 0, lost: [], macFrom: 1, rowsLevel: provenLevel };

/** The sealed text of a state. @throws VaultError */
export function sealAuditState(key: DataKey, state: AuditState): string {
  return sealValue(key, sealingContexts.auditState(key.ownerId), Secret.of(JSON.stringify(state)));
}

/**
 * The state as it is committed; `undefined` when it was taken away or altered.
 * @throws VaultError when the org's data key does not open
 */
export async function readAuditState(deps: StateDeps): Promise<ReadState | undefined> {
  const row = await deps.store.read.organizations.find(deps.organizationId);
  const text = row?.auditState;
  if (text === undefined || text === null) return undefined;
  return withOrgDataKey(deps, (key) => {
    const state = openState(key, text);
    return state === undefined ? undefined : { text, state };
  });
}

/**
 * Changes the state, together with what `also` writes.
 * @param before the text it was read from, `null` when there is none
 * @returns false when another broker changed it meanwhile; nothing was written then
 */
export async function changeAuditState(
  deps: StateDeps,
  before: string | null,
  state: AuditState,
  also: (tables: Tables) => Promise<void> = async () => undefined,
): Promise<boolean> {
  const after = await sealedAuditState(deps, state);
  return deps.store.write([deps.organizationId], async (tables) => {
    if (!(await tables.organizations.setAuditState(deps.organizationId, before, after))) return false;
    await also(tables);
    return true;
  });
}

/** The sealed text of a state, under the org's data key. @throws VaultError */
export function sealedAuditState(deps: StateDeps, state: AuditState): Promise<string> {
  return withOrgDataKey(deps, (key) => sealAuditState(key, state));
}

/** Whether a store that holds heads through this counter holds all that were signed and not given up. */
export function holdsAllHeads({ heads, lost }: AuditState, counter: number): boolean {
  return counter === heads || lost.some(({ after, through }) => through === heads && after === counter);
}

function openState(key: DataKey, text: string): AuditState | undefined {
  try {
    const opened = openValue(key, sealingContexts.auditState(key.ownerId), text).reveal();
    return stateSchema.safeParse(JSON.parse(opened)).data;
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}
