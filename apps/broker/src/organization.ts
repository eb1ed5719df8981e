import { newId } from "@keyloan/contract";
import type { Store } from "@keyloan/store";
import { createFingerprinter, type Fingerprinter, type Keyring, openDataKey } from "@keyloan/vault";
import { firstAuditState, sealAuditState } from "./audit-state.ts";
import { createOwnerKey } from "./verbs/owner-key.ts";

const fingerprintOwner = (organizationId: string) => `fingerprint:${organizationId}`;

/**
 * The id of the org of this store, which is made at the first start.
 * @throws Error when the org was taken away
 */
export async function ensureOrganization(
  store: Store,
  keyring: Keyring,
  now: () => number,
  random: (size: number) => Uint8Array,
): Promise<string> {
  const known = await store.read.organizations.first();
  if (known !== undefined) return known.id;
  return store.write(async (tables) => {
    const other = await tables.organizations.first();
    if (other !== undefined) return other.id;
    // A new org would begin a new audit, in which all that was done before is gone.
    if ((await tables.dataKeys.count()) > 0)
      throw new Error(
        "the store has data keys and no org: rows were taken away, so restore it from a backup",
      );
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

/** The org's fingerprints. @throws Error when the store has no key for them */
export async function openFingerprinter(
  store: Store,
  keyring: Keyring,
  organizationId: string,
): Promise<Fingerprinter> {
  const row = await store.read.dataKeys.findByOwner(fingerprintOwner(organizationId));
  if (row === undefined) throw new Error("the store has no fingerprint key: it was not made by this broker");
  return createFingerprinter(openDataKey(keyring, row));
}
