import type { SigningKeyView } from "@keyloan/contract";
import type { SigningKeyRow } from "@keyloan/store";
import { CompactSign, type CryptoKey, compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import type { Deps } from "./deps.ts";
import {
  findOrCreateSigningKey,
  readStoredKeys,
  signingAlgorithm,
  signingKeysMax,
  toPublicJwk,
} from "./signing-keys.ts";

/** What a signed text was found to say. */
export type Signed = {
  readonly kid: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** The org's keys as the store had them at one moment. */
export type KnownKeys = {
  /** What a text says that one of the keys signed; `undefined` when none did or it was altered. */
  readonly verify: (jws: string) => Promise<Signed | undefined>;
  /** Ids of rows that this broker did not write: nothing they signed counts, and they are shown to nobody. */
  readonly refused: readonly string[];
  /** Ids of the rows that it wrote. */
  readonly authentic: readonly string[];
  /** There are far more than a broker makes, and not all were read. */
  readonly isCut: boolean;
};

/** Signs what others must be able to check without asking: audit heads and receipts. */
export type Signer = {
  /**
   * A compact JWS of the payload with the header `{ alg: "EdDSA", kid, typ: type }`.
   * @throws StoreError or VaultError when the org's key cannot be read
   */
  readonly sign: (type: string, payload: Readonly<Record<string, unknown>>) => Promise<string>;
  /** The keys as they are in the store now. */
  readonly readKeys: (options?: { readonly rowsMax: number }) => Promise<KnownKeys>;
  /**
   * The public halves of all keys that ever signed, the one that signs now first.
   * @throws BrokerError `audit_degraded` when there are too many to find them
   */
  readonly publicKeys: () => Promise<readonly SigningKeyView[]>;
};

type SignerDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "now" | "randomBytes">;

const jwsLengthMax = 64 * 1024;

/** The org's signer. Nothing is read or made before its first use, so it does not slow the start. */
export function createSigner(deps: SignerDeps): Signer {
  const proven: Proven = new Map();
  const readKeys: Signer["readKeys"] = async ({ rowsMax } = { rowsMax: signingKeysMax }) => {
    const { authentic, refused, isCut } = await readStoredKeys(deps, rowsMax);
    const ids = authentic.map(({ id }) => id);
    return { refused, isCut, authentic: ids, verify: createVerifier(authentic, proven) };
  };
  return {
    sign: async (type, payload) => {
      // Asked for each time: a key that is no longer in the store must sign nothing more.
      const { kid, privateJwk } = await findOrCreateSigningKey(deps);
      return new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg: signingAlgorithm, kid, typ: type })
        .sign(await importKey(privateJwk));
    },
    readKeys,
    publicKeys: async () => {
      await findOrCreateSigningKey(deps);
      return (await readStoredKeys(deps)).authentic.map(toPublicJwk);
    },
  };
}

/** The id of the key that a text says it was signed with; `undefined` for what is no signed text. */
export function readHeader(jws: string): Pick<Signed, "kid" | "type"> | undefined {
  if (jws.length > jwsLengthMax) return undefined;
  try {
    const { kid, typ } = decodeProtectedHeader(jws);
    return kid === undefined || typ === undefined ? undefined : { kid, type: typ };
  } catch {
    return undefined;
  }
}

/** What the last texts were proven to say, by the public key and the text: the newest head is looked at often. */
type Proven = Map<string, Signed>;
const provenMax = 16;

function createVerifier(rows: readonly SigningKeyRow[], proven: Proven): KnownKeys["verify"] {
  const imported = new Map<string, Promise<CryptoKey>>();
  const keyOf = (row: SigningKeyRow) => {
    const key = imported.get(row.id) ?? importKey(toPublicJwk(row));
    imported.set(row.id, key);
    return key;
  };
  return async (jws) => {
    const header = readHeader(jws);
    const row = header && rows.find(({ id }) => id === header.kid);
    if (header === undefined || row === undefined) return undefined;
    const name = `${row.publicKey}\n${jws}`;
    const known = proven.get(name);
    if (known !== undefined) return known;
    const key = await keyOf(row);
    const bytes = await compactVerify(jws, key, { algorithms: [signingAlgorithm] }).then(
      ({ payload }) => payload,
      () => undefined,
    );
    if (bytes === undefined) return undefined;
    const signed = { ...header, payload: parsePayload(bytes) };
    if (proven.size >= provenMax) proven.delete(proven.keys().next().value ?? "");
    proven.set(name, signed);
    return signed;
  };
}

function parsePayload(bytes: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Holds because bytes come of symmetric keys alone, and these are Ed25519. */
async function importKey(jwk: JWK): Promise<CryptoKey> {
  return (await importJWK(jwk, signingAlgorithm)) as CryptoKey;
}
