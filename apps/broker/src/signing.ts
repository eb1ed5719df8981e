import { newId, Secret, type SigningKeyView, signingKeySchema } from "@keyloan/contract";
import type { SigningKeyRow } from "@keyloan/store";
import { closeDataKey, openDataKey, openValue, sealValue } from "@keyloan/vault";
import {
  CompactSign,
  type CryptoKey,
  compactVerify,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";
import type { Deps } from "./deps.ts";

/** What a signed text was found to say. */
export type Signed = {
  readonly kid: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** Signs what others must be able to check without asking: audit heads and receipts. */
export type Signer = {
  /**
   * A compact JWS of the payload with the header `{ alg: "EdDSA", kid, typ: type }`.
   * @throws StoreError or VaultError when the org's key cannot be read
   */
  readonly sign: (type: string, payload: Readonly<Record<string, unknown>>) => Promise<string>;
  /** What a text says that one of the org's keys signed; `undefined` when none did or it was altered. */
  readonly verify: (jws: string) => Promise<Signed | undefined>;
  /** The public halves of all keys that ever signed, the one that signs now first. */
  readonly publicKeys: () => Promise<readonly SigningKeyView[]>;
};

type SignerDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "now" | "randomBytes">;
type SigningKey = { readonly kid: string; readonly privateKey: CryptoKey };

const alg = "EdDSA";
const jwsLengthMax = 64 * 1024;

/** The org's signer. Nothing is read or made before its first use, so it does not slow the start. */
export function createSigner(deps: SignerDeps): Signer {
  let current: Promise<SigningKey> | undefined;
  let rows: readonly SigningKeyRow[] = [];
  const readRows = async () => {
    rows = await deps.store.read.signingKeys.list(deps.organizationId);
    return rows;
  };
  const currentKey = (): Promise<SigningKey> => {
    // A failure is not kept: the store may be back when it is next asked for.
    current ??= findOrCreateKey(deps).catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    return current;
  };
  const publicKeyOf = async (kid: string) => {
    const isIt = (row: SigningKeyRow) => row.id === kid;
    // Another broker on the store may have made the key since.
    const row = rows.find(isIt) ?? (await readRows()).find(isIt);
    return row === undefined ? undefined : importJWK(parseJwk(row.publicKey), alg);
  };
  return {
    sign: async (type, payload) => {
      const { kid, privateKey } = await currentKey();
      return new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg, kid, typ: type })
        .sign(privateKey);
    },
    verify: async (jws) => {
      const header = readHeader(jws);
      if (header === undefined) return undefined;
      const key = await publicKeyOf(header.kid);
      if (key === undefined) return undefined;
      const bytes = await compactVerify(jws, key, { algorithms: [alg] }).then(
        ({ payload }) => payload,
        () => undefined,
      );
      return bytes === undefined ? undefined : { ...header, payload: parsePayload(bytes) };
    },
    publicKeys: async () => {
      await currentKey();
      return (await readRows()).map((row) => toPublicJwk(row));
    },
  };
}

/** The key that signs: the newest, made when there is none. Of two brokers that start at once, one makes it. */
async function findOrCreateKey(deps: SignerDeps): Promise<SigningKey> {
  const [known] = await deps.store.read.signingKeys.list(deps.organizationId);
  if (known !== undefined) return openRow(deps, known);
  const fresh = await createRow(deps);
  const row = await deps.store.write(async (tables) => {
    const [other] = await tables.signingKeys.list(deps.organizationId);
    if (other !== undefined) return other;
    await tables.signingKeys.insert(fresh);
    return fresh;
  });
  return openRow(deps, row);
}

async function createRow(deps: SignerDeps): Promise<SigningKeyRow> {
  const id = newId("signingKey", deps.randomBytes);
  const pair = await generateKeyPair(alg, { extractable: true });
  const privateJwk = Secret.of(JSON.stringify(await exportJWK(pair.privateKey)));
  return withDataKey(deps, async (key) => ({
    id,
    organizationId: deps.organizationId,
    publicKey: JSON.stringify(await exportJWK(pair.publicKey)),
    privateKey: sealValue(key, sealContext(deps, id), privateJwk),
    createdAt: deps.now(),
  }));
}

function openRow(deps: SignerDeps, row: SigningKeyRow): Promise<SigningKey> {
  return withDataKey(deps, async (key) => {
    const jwk = parseJwk(openValue(key, sealContext(deps, row.id), row.privateKey).reveal());
    return { kid: row.id, privateKey: toCryptoKey(await importJWK(jwk, alg)) };
  });
}

async function withDataKey<T>(
  deps: SignerDeps,
  use: (key: ReturnType<typeof openDataKey>) => Promise<T>,
): Promise<T> {
  const row = await deps.store.read.dataKeys.findByOwner(deps.organizationId);
  if (row === undefined) throw new Error("the org has no data key");
  const key = openDataKey(deps.keyring, row);
  try {
    return await use(key);
  } finally {
    closeDataKey(key);
  }
}

const sealContext = (deps: SignerDeps, id: string) => ({
  purpose: "signing-key",
  ownerId: deps.organizationId,
  field: id,
});

function toPublicJwk(row: SigningKeyRow): SigningKeyView {
  return signingKeySchema.parse({ ...parseJwk(row.publicKey), kid: row.id, alg, use: "sig" });
}

function readHeader(jws: string): Pick<Signed, "kid" | "type"> | undefined {
  if (jws.length > jwsLengthMax) return undefined;
  try {
    const { kid, typ } = decodeProtectedHeader(jws);
    return kid === undefined || typ === undefined ? undefined : { kid, type: typ };
  } catch {
    return undefined;
  }
}

function parsePayload(bytes: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Holds because only this file writes the two columns, and the private one is authenticated. */
function parseJwk(text: string): JWK {
  return JSON.parse(text) as JWK;
}

/** Holds because bytes come of symmetric keys alone, and these are Ed25519. */
function toCryptoKey(key: Awaited<ReturnType<typeof importJWK>>): CryptoKey {
  return key as CryptoKey;
}
