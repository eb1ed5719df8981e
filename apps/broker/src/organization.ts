import { newId } from "@keyloan/contract";
import type { Store } from "@keyloan/store";
import { createFingerprinter, type Fingerprinter, type Keyring, openDataKey } from "@keyloan/vault";
import { firstAuditState, sealAuditState } from "./audit-state.ts";
import { createOwnerKey } from "./sealing/data-key.ts";

const fingerprintOwner = (organizationId: string) => `fingerprint:${organizationId}`;

/**
 * The id of the org of this store, which is made at the first start.
 * @throws Error when the org was taken away, or another was put beside it
 */
export async function ensureOrganization(
  store: Store,
  keyring: Keyring,
  now: () => number,
  random: (size: number) => Uint8Array,
): Promise<string> {
  const [known, ...others] = await store.read.organizations.listIds(orgsShownMax);
  if (known !== undefined && others.length === 0) return known;
  if (others.length > 0) throw await tooManyOrgs(store, [known ?? "", ...others]);
  return store.write(["organization"], async (tables) => {
    const other = await tables.organizations.first();
    if (other !== undefined) return other.id;
    // A new org would begin a new audit, in which all that was done before is gone.
    if ((await tables.dataKeys.count()) > 0)
      throw new Error("the store has data keys but no org: rows were removed, so restore it from a backup");
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

const orgsShownMax = 10;

/** A broker makes one org, so the others were written by somebody else. */
async function tooManyOrgs(store: Store, ids: readonly string[]): Promise<Error> {
  const told: string[] = [];
  for (const id of ids)
    told.push((await store.read.dataKeys.findByOwner(id)) === undefined ? `${id} (no data key)` : id);
  return new Error(
    `the store has more than one org, but a broker makes only one: ${told.join(", ")}. Remove the rows without a data key from the table organizations, or restore the store from a backup`,
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
