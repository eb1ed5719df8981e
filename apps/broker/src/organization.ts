import { newId } from "@keyloan/contract";
import type { Store } from "@keyloan/store";
import { createFingerprinter, type Fingerprinter, type Keyring, openDataKey } from "@keyloan/vault";
import { firstAuditState, sealAuditState } from "./audit-state.ts";
import { createOwnerKey, withOpenKey } from "./sealing/data-key.ts";

const fingerprintOwner = (organizationId: string) => `fingerprint:${organizationId}`;

/**
 * The id of the org of this store, which is made at the first start. Another row beside it counts only with data keys that
 * the root key opens: nobody else can write those.
 * @throws Error when the org was taken away, or another was put beside it
 */
export async function ensureOrganization(
  store: Store,
  keyring: Keyring,
  now: () => number,
  random: (size: number) => Uint8Array,
): Promise<string> {
  const known = await store.read.organizations.listIds(orgsReadMax);
  const [own, ...others] = known.length > 1 ? await keepOwn(store, keyring, known) : known;
  if (own !== undefined && others.length === 0) return own;
  if (known.length > 0) throw notOneOrg(known);
  return store.write(["organization"], async (tables) => {
    const [other] = await tables.organizations.listIds(1);
    if (other !== undefined) return other;
    // A new org would begin a new audit, in which all that was done before is gone.
    if ((await tables.organizations.first()) !== undefined || (await tables.dataKeys.count()) > 0)
      throw new Error("the store has no org with a data key: rows were removed, so restore it from a backup");
    const id = newId("organization", random);
    const keyDeps = { keyring, now, randomBytes: random };
    const { row, key } = createOwnerKey(keyDeps, id, { promisesState: true });
    const auditState = sealAuditState(key, firstAuditState);
    await tables.organizations.insert({ id, name: "default", createdAt: now(), auditState });
    await tables.dataKeys.insert(row);
    await tables.dataKeys.insert(createOwnerKey(keyDeps, fingerprintOwner(id)).row);
    return id;
  });
}

const orgsReadMax = 1_000;
const orgsShownMax = 10;

/** The orgs whose data keys the root key opens, both of each: a build has only one. */
async function keepOwn(store: Store, keyring: Keyring, ids: readonly string[]): Promise<readonly string[]> {
  const opens = async (ownerId: string): Promise<boolean> => {
    const row = await store.read.dataKeys.findByOwner(ownerId);
    try {
      return row !== undefined && withOpenKey({ keyring }, row, () => true);
    } catch {
      // Whatever somebody wrote there.
      return false;
    }
  };
  const own: string[] = [];
  for (const id of ids) if ((await opens(id)) && (await opens(fingerprintOwner(id)))) own.push(id);
  return own;
}

function notOneOrg(ids: readonly string[]): Error {
  const told = ids.slice(0, orgsShownMax).join(", ");
  return new Error(
    `the root key must open the data keys of exactly one org, and the store has more than one org: ${told}. Check the root key, or restore the store from a backup`,
  );
}

/** The org's fingerprints. @throws Error when the store has no key for them */
export async function openFingerprinter(
  store: Store,
  keyring: Keyring,
  organizationId: string,
): Promise<Fingerprinter> {
  const row = await store.read.dataKeys.findByOwner(fingerprintOwner(organizationId));
  if (row === undefined) throw new Error("the store has no fingerprint key: this broker did not make it");
  return createFingerprinter(openDataKey(keyring, row));
}
