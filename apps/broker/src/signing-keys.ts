import { createPrivateKey, createPublicKey } from "node:crypto";
import { newId, Secret, type SigningKeyView, signingKeySchema } from "@keyloan/contract";
import type { SigningKeyRow } from "@keyloan/store";
import { type DataKey, isAuthenticRow, openValue, rowMac, sealValue } from "@keyloan/vault";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { Deps } from "./deps.ts";
import { withOrgDataKey } from "./org-data-key.ts";

export const signingAlgorithm = "EdDSA";
const table = "signing_keys";

type KeyDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "now" | "randomBytes">;

/** The rows of the store, told apart by whether this org's broker wrote them. */
export type StoredKeys = {
  /** Newest first. */
  readonly authentic: readonly SigningKeyRow[];
  /** Ids of rows without a MAC or with a wrong one: nothing they signed counts. */
  readonly refused: readonly string[];
};

/** @throws VaultError when the org's data key does not open */
export async function readStoredKeys(deps: KeyDeps): Promise<StoredKeys> {
  const rows = await deps.store.read.signingKeys.list(deps.organizationId);
  return withOrgDataKey(deps, (key) => {
    const authentic = rows.filter((row) => isAuthenticRow(key, table, row));
    return { authentic, refused: rows.filter((row) => !authentic.includes(row)).map(({ id }) => id) };
  });
}

/**
 * The private half of the key that signs, and its id: the newest authentic one, made when there is none. Of two
 * brokers that start at once, one makes it.
 */
export function findOrCreateSigningKey(deps: KeyDeps): Promise<{ kid: string; privateJwk: JWK }> {
  return withOrgDataKey(deps, async (key) => {
    const newestOf = (rows: readonly SigningKeyRow[]) => rows.find((row) => isAuthenticRow(key, table, row));
    const known = newestOf(await deps.store.read.signingKeys.list(deps.organizationId));
    if (known !== undefined) return openPrivate(key, known);
    const fresh = await createRow(deps, key);
    const row = await deps.store.write(async (tables) => {
      const other = newestOf(await tables.signingKeys.list(deps.organizationId));
      if (other !== undefined) return other;
      await tables.signingKeys.insert(fresh);
      return fresh;
    });
    return openPrivate(key, row);
  });
}

/** The MAC for a row from before there were any, when its public key is that of its sealed private half. */
export function macOfOlderRow(key: DataKey, row: SigningKeyRow): string | undefined {
  try {
    const { privateJwk } = openPrivate(key, row);
    const own = createPublicKey(createPrivateKey({ key: privateJwk, format: "jwk" }));
    const told = createPublicKey({ key: parseJwk(row.publicKey), format: "jwk" });
    return own.equals(told) ? rowMac(key, table, row) : undefined;
  } catch {
    // Whatever is wrong with it: what is not proven gets no MAC.
    return undefined;
  }
}

/** The public half of a row, as it is shown. */
export function toPublicJwk(row: SigningKeyRow): SigningKeyView {
  const jwk = parseJwk(row.publicKey);
  return signingKeySchema.parse({ ...jwk, kid: row.id, alg: signingAlgorithm, use: "sig" });
}

async function createRow(deps: KeyDeps, key: DataKey): Promise<SigningKeyRow> {
  const id = newId("signingKey", deps.randomBytes);
  const pair = await generateKeyPair(signingAlgorithm, { extractable: true });
  const privateJwk = Secret.of(JSON.stringify(await exportJWK(pair.privateKey)));
  const row = {
    id,
    organizationId: deps.organizationId,
    publicKey: JSON.stringify(await exportJWK(pair.publicKey)),
    privateKey: sealValue(key, sealContext(key, id), privateJwk),
    createdAt: deps.now(),
    mac: null,
  };
  return { ...row, mac: rowMac(key, table, row) };
}

function openPrivate(key: DataKey, row: SigningKeyRow): { kid: string; privateJwk: JWK } {
  const sealed = openValue(key, sealContext(key, row.id), row.privateKey);
  return { kid: row.id, privateJwk: parseJwk(sealed.reveal()) };
}

const sealContext = ({ ownerId }: DataKey, id: string) => ({ purpose: "signing-key", ownerId, field: id });

/** Holds for rows that are authentic or whose private half opens; of any other the reader checks what it uses. */
function parseJwk(text: string): JWK {
  return JSON.parse(text) as JWK;
}
