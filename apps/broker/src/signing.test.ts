import { randomBytes } from "node:crypto";
import type { SigningKeyRow } from "@keyloan/store";
import { openDataKey } from "@keyloan/vault";
import {
  CompactSign,
  compactVerify,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
} from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deps } from "./deps.ts";
import { createOwnerKey } from "./sealing/data-key.ts";
import { createSigner, type Signer } from "./signing.ts";
import { macOfOlderRow } from "./signing-keys.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

let broker: TestBroker;
let signer: Signer;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: [], connectors: [] });
  signer = broker.running().deps.signer;
});
afterAll(() => broker.close());

const verify = async (jws: string, by = signer) => (await by.readKeys()).verify(jws);
const payload = { sequence: 7, hash: "ab" };
const changed = (jws: string, part: 0 | 1 | 2, text: string) =>
  jws
    .split(".")
    .map((value, index) => (index === part ? text : value))
    .join(".");
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("the signer", () => {
  it("makes no key before its first use", async () => {
    const { store, organizationId } = broker.running().deps;
    expect(await store.read.signingKeys.list(organizationId, 10, 0)).toEqual([]);
    await signer.sign("test", payload);
    expect(await store.read.signingKeys.list(organizationId, 10, 0)).toHaveLength(1);
  });

  it("signs what anyone can check with the keys at /v1/signing-keys alone", async () => {
    const jws = await signer.sign("test", payload);
    const answer = await broker.call("GET", "/v1/signing-keys", { token: null });
    expect(answer.status).toBe(200);
    const keys = createLocalJWKSet(answer.body as JSONWebKeySet);
    const checked = await compactVerify(jws, keys);
    expect(JSON.parse(Buffer.from(checked.payload).toString())).toEqual(payload);
    expect(checked.protectedHeader).toMatchObject({ alg: "EdDSA", typ: "test" });
    expect(answer.text).not.toContain('"d"');
  });

  it("knows its own signatures, also those of a broker before it", async () => {
    const jws = await signer.sign("test", payload);
    expect(await verify(jws)).toMatchObject({ type: "test", payload });
    const later = createSigner(broker.running().deps);
    expect(await verify(jws, later)).toMatchObject({ type: "test", payload });
  });

  it.each([
    ["an altered payload", (jws: string) => changed(jws, 1, encode({ ...payload, sequence: 8 }))],
    ["another type", (jws: string) => changed(jws, 0, encode({ ...header(jws), typ: "other" }))],
    [
      "an algorithm that needs no key",
      (jws: string) => changed(jws, 0, encode({ ...header(jws), alg: "none" })),
    ],
    [
      "a key that is not ours",
      (jws: string) => changed(jws, 0, encode({ ...header(jws), kid: "sig_other" })),
    ],
    ["no signature", (jws: string) => changed(jws, 2, "")],
    ["what is no signed text", () => "garbage"],
    ["nothing", () => ""],
  ])("does not know %s", async (_what, alter) => {
    expect(await verify(alter(await signer.sign("test", payload)))).toBeUndefined();
  });

  it("is one for two brokers that start at the same moment", async () => {
    const { deps } = broker.running();
    const organizationId = `org_${randomBytes(10).toString("hex")}`;
    await deps.store.write([], (tables) => tables.dataKeys.insert(createOwnerKey(deps, organizationId).row));
    const signers = [1, 2, 3].map(() => createSigner({ ...deps, organizationId }));
    const signed = await Promise.all(signers.map((each) => each.sign("test", payload)));
    expect(new Set(signed.map((jws) => header(jws).kid)).size).toBe(1);
    expect(await signers[0]?.publicKeys()).toHaveLength(1);
  });

  it("keeps its private half sealed: another row's id or another org does not open it", async () => {
    const { deps } = broker.running();
    const [row] = await deps.store.read.signingKeys.list(deps.organizationId, 10, 0);
    if (row === undefined) throw new Error("there is a key");
    expect(row.privateKey).toMatch(/^v1\./);
    const moved = macOfOlderRow(await openOrgKey(deps), { ...row, id: "sig_moved" });
    expect(moved).toBeUndefined();
  });

  it.each([
    ["a MAC", (row: SigningKeyRow) => ({ ...row, mac: null })],
    ["its own MAC", (row: SigningKeyRow) => row],
  ])(
    "refuses a newer row without %s: it signs nothing, proves nothing and is not shown",
    async (_what, change) => {
      const { deps } = broker.running();
      const [row] = await deps.store.read.signingKeys.list(deps.organizationId, 10, 0);
      if (row === undefined) throw new Error("there is a key");
      const own = await generateKeyPair("EdDSA", { extractable: true });
      const publicKey = JSON.stringify(await exportJWK(own.publicKey));
      const id = `sig_${randomBytes(10).toString("hex")}`;
      const forged = { ...change(row), id, publicKey, createdAt: row.createdAt + 1 };
      await deps.store.write([], (tables) => tables.signingKeys.insert(forged));
      const jws = await new CompactSign(Buffer.from("{}"))
        .setProtectedHeader({ alg: "EdDSA", kid: id, typ: "test" })
        .sign(own.privateKey);
      expect(await verify(jws)).toBeUndefined();
      expect(header(await signer.sign("test", payload)).kid).toBe(row.id);
      expect(await signer.readKeys()).toMatchObject({ refused: [id] });
      const { text } = await broker.call("GET", "/v1/signing-keys", { token: null });
      expect([text.includes(row.id), text.includes(id)]).toEqual([true, false]);
      await deps.store.write([], (tables) => tables.signingKeys.keepOnly(deps.organizationId, [row.id]));
    },
  );
});

async function openOrgKey({
  store,
  keyring,
  organizationId,
}: Pick<Deps, "store" | "keyring" | "organizationId">) {
  const row = await store.read.dataKeys.findByOwner(organizationId);
  if (row === undefined) throw new Error("the org has a data key");
  return openDataKey(keyring, row);
}

function header(jws: string): { kid: string; alg: string; typ: string } {
  return JSON.parse(Buffer.from(jws.split(".")[0] ?? "", "base64url").toString());
}
