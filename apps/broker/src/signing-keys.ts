import { createPrivateKey, createPublicKey } from "node:crypto";
import { newId, Secret, type SigningKeyView, signingKeySchema } from "@keyloan/contract";
import type { SigningKeyRow, Tables } from "@keyloan/store";
import { type DataKey, isAuthenticRow, openValue, rowMac, sealValue } from "@keyloan/vault";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { Deps } from "./deps.ts";
import { sealingContexts } from "./sealing/contexts.ts";
import { withOrgDataKey } from "./sealing/data-key.ts";
import { auditDegraded, findKeyProblem } from "./verbs/audit/problems.ts";

export const signingAlgorithm = "EdDSA";
const table = "signing_keys";

/** A broker makes one. The rest is not read, but by who asks for all. */
export const signingKeysMax = 100;

type KeyDeps = Pick<Deps, "store" | "keyring" | "organizationId" | "now" | "randomBytes">;

/** The rows of the store, told apart by whether this org's broker wrote them. */
export type StoredKeys = {
  /** Newest first. */
  readonly authentic: readonly SigningKeyRow[];
  /** Ids of rows without a MAC or with a wrong one: nothing they signed counts. */
  readonly refused: readonly string[];
  /** There are more than {@link signingKeysMax}, and not all were read. */
  readonly isCut: boolean;
};

/** @throws VaultError when the org's data key does not open */
export function readStoredKeys(deps: KeyDeps, rowsMax = signingKeysMax): Promise<StoredKeys> {
  return withOrgDataKey(deps, (key) => readRows(deps, deps.store.read, key, rowsMax));
}

/** The rows of the org, some at a time; requests come in between. */
export async function* pagesOfKeys(
  { organizationId }: Pick<Deps, "organizationId">,
  { signingKeys }: Tables,
): AsyncGenerator<readonly SigningKeyRow[]> {
  const limit = signingKeysMax + 1;
  for (let offset = 0; ; offset += limit) {
    const page = await signingKeys.list(organizationId, limit, offset);
    yield page;
    if (page.length < limit) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function readRows(deps: KeyDeps, tables: Tables, key: DataKey, rowsMax: number): Promise<StoredKeys> {
  const authentic: SigningKeyRow[] = [];
  const refused: string[] = [];
  let isCut = false;
  for await (const page of pagesOfKeys(deps, tables)) {
    for (const row of page) {
      if (isAuthenticRow(key, table, row)) authentic.push(row);
      else refused.push(row.id);
    }
    isCut = authentic.length + refused.length > rowsMax;
    if (isCut) break;
  }
  authentic.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return { authentic, refused, isCut };
}

/**
 * The private half of the key that signs, and its id: the newest authentic one, made when there is none. Of two
 * brokers that start at once, one makes it.
 * @throws BrokerError `audit_degraded` when there are too many to find it
 */
export function findOrCreateSigningKey(deps: KeyDeps): Promise<{ kid: string; privateJwk: JWK }> {
  return withOrgDataKey(deps, async (key) => {
    const findNewest = async (tables: Tables) => {
      const keys = await readRows(deps, tables, key, signingKeysMax);
      const problem = findKeyProblem(keys);
      if (keys.isCut && problem !== undefined) throw auditDegraded(problem);
      return keys.authentic[0];
    };
    const known = await findNewest(deps.store.read);
    if (known !== undefined) return openPrivate(key, known);
    const fresh = await createRow(deps, key);
    const row = await deps.store.write([deps.organizationId], async (tables) => {
      const other = await findNewest(tables);
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
    privateKey: sealValue(key, sealingContexts.signingKey(key.ownerId, id), privateJwk),
    createdAt: deps.now(),
    mac: null,
  };
  return { ...row, mac: rowMac(key, table, row) };
}

function openPrivate(key: DataKey, row: SigningKeyRow): { kid: string; privateJwk: JWK } {
  const sealed = openValue(key, sealingContexts.signingKey(key.ownerId, row.id), row.privateKey);
  return { kid: row.id, privateJwk: parseJwk(sealed.reveal()) };
}

/** Holds for rows that are authentic or whose private half opens; of any other the reader checks what it uses. */
function parseJwk(text: string): JWK {
  return JSON.parse(text) as JWK;
}
