import { createHash, randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AuditHead, type AuditVerification, auditHeadType, Secret } from "@keyloan/contract";
import { openStore } from "@keyloan/store";
import { createDataKey, createRootKey, parseKeyring, ready, sealValue } from "@keyloan/vault";
import { CompactSign, exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createStoreWriter, type StoreWriter } from "./testing/store-writer.ts";

const migrations = fileURLToPath(new URL("../../../packages/store/src/migrations", import.meta.url));
const organizationId = "org_0123456789abcdefghjk";
const keyId = "sig_0123456789abcdefghjk";
const rootKey = createRootKey(randomBytes).line;

let folder: string;
let writer: StoreWriter;
let broker: TestBroker | undefined;
/** The head of row 3, as the version before signed it: without a counter. */
let head: string;

beforeEach(async () => {
  await ready;
  folder = await mkdtemp(join(tmpdir(), "keyloan-upgrade-"));
  writer = await createStoreWriter(folder);
  await makeOlderStore();
});
afterEach(async () => {
  await broker?.close();
  broker = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A store as the version before wrote it: an org, a signing key, three audit rows, and the head of the last. */
async function makeOlderStore(): Promise<void> {
  const earlier = join(folder, "migrations");
  await cp(migrations, earlier, { recursive: true });
  const journal = JSON.parse(await readFile(join(earlier, "meta", "_journal.json"), "utf8"));
  const entries = journal.entries.filter(({ tag }: { tag: string }) => tag < "0005");
  await writeFile(join(earlier, "meta", "_journal.json"), JSON.stringify({ ...journal, entries }));
  const store = await openStore({ path: join(folder, "keyloan.db"), migrationsFolder: earlier });
  await store.close();
  const last = { sequence: 0, hash: "0".repeat(64) };
  for (const sequence of [1, 2, 3]) {
    const row = {
      id: `evt_${sequence}`,
      at: 1,
      actor: "admin:admin",
      action: "x",
      entity: "y",
      details: "{}",
    };
    const content = ["keyloan/audit/v1", last.hash, sequence, ...Object.values(row), null];
    const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
    await writer.insert("audit_events", { sequence, ...row, previous_hash: last.hash, hash });
    Object.assign(last, { sequence, hash });
  }

  const keyring = parseKeyring(rootKey.reveal());
  await writer.insert("organizations", { id: organizationId, name: "default", created_at: 1 });
  const owners = [organizationId, `fingerprint:${organizationId}`].map((ownerId, index) =>
    createDataKey(keyring, { id: `dek_0123456789abcdefgh${index}k`, ownerId }),
  );
  for (const { record } of owners) {
    const { id, ownerId, kid, wrapped } = record;
    await writer.insert("data_keys", { id, owner_id: ownerId, kid, wrapped, created_at: 1 });
  }
  const pair = await generateKeyPair("EdDSA", { extractable: true });
  const privateJwk = Secret.of(JSON.stringify(await exportJWK(pair.privateKey)));
  const context = { purpose: "signing-key", ownerId: organizationId, field: keyId };
  const orgKey = owners[0]?.key ?? expect.fail();
  await insertKey(
    keyId,
    JSON.stringify(await exportJWK(pair.publicKey)),
    sealValue(orgKey, context, privateJwk),
  );
  const payload = { sequence: last.sequence, hash: last.hash, at: 1 };
  head = await new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "EdDSA", kid: keyId, typ: auditHeadType })
    .sign(pair.privateKey);
  await writer.insert("audit_heads", { ...payload, signed: head });
}

const insertKey = (id: string, publicKey: string, privateKey: string) =>
  writer.insert("signing_keys", {
    id,
    organization_id: organizationId,
    public_key: publicKey,
    private_key: privateKey,
    created_at: 1,
  });

async function start(): Promise<TestBroker> {
  broker = await createTestBroker({ emulators: [], config: { dataDirectory: folder, rootKey } });
  return broker;
}
const verify = async ({ call }: TestBroker, body = {}) =>
  (await call("POST", "/v1/audit/verify", { body })).body as AuditVerification;
const keys = async ({ call }: TestBroker) =>
  ((await call("GET", "/v1/signing-keys", { token: null })).body as { keys: { kid: string }[] }).keys.map(
    ({ kid }) => kid,
  );

describe("a store of the version before", () => {
  it("is brought up to date once: its key counts on, and its heads are judged as they were", async () => {
    const upgraded = await start();
    expect(await verify(upgraded)).toMatchObject({ verdict: "self_consistent", heads: 1 });
    expect(await verify(upgraded, { head })).toMatchObject({ verdict: "anchored", through: 3 });
    expect(await keys(upgraded)).toEqual([keyId]);
    const audited = (await upgraded.call("GET", "/v1/audit?action=audit.upgraded")).body;
    expect(audited).toMatchObject({ events: [{ details: { signingKeys: 1, refused: "" } }] });
    const next = (await upgraded.call("GET", "/v1/audit/head")).body as AuditHead;
    await upgraded.restart();
    expect(await verify(upgraded, { head: next.signed })).toMatchObject({ verdict: "anchored" });
    const again = (await upgraded.call("GET", "/v1/audit?action=audit.upgraded")).body as {
      events: unknown[];
    };
    expect(again.events).toHaveLength(1);
  });

  it("is brought up to date by one of two brokers that start at once", async () => {
    const upgraded = await start();
    await upgraded.startAnother();
    expect(await verify(upgraded)).toMatchObject({ verdict: "self_consistent" });
  });

  it.each([
    ["with a private half that nobody sealed", () => insertKey("sig_forged", writer.publicKey, "v1.x.y")],
    [
      "with the sealed half of another row",
      () =>
        writer.run(
          `INSERT INTO signing_keys SELECT 'sig_forged', organization_id, public_key, private_key, 2 FROM signing_keys`,
        ),
    ],
  ])("gives a forged key %s no MAC: it is refused by its name", async (_what, forge) => {
    await forge();
    const upgraded = await start();
    expect(await verify(upgraded)).toMatchObject({
      verdict: "broken",
      problem: { kind: "signing_key", message: expect.stringContaining("sig_forged") },
    });
    expect(await keys(upgraded)).toEqual([keyId]);
    expect((await upgraded.call("GET", "/v1/audit?action=audit.upgraded")).text).toContain("sig_forged");
  });

  it("gives a key whose public half was swapped no MAC", async () => {
    await writer.run(`UPDATE signing_keys SET public_key = '${writer.publicKey}'`);
    const upgraded = await start();
    expect(await verify(upgraded)).toMatchObject({ verdict: "broken", problem: { kind: "signing_key" } });
    expect(await keys(upgraded)).not.toContain(keyId);
  });

  it.each([
    ["a key without a MAC", () => insertKey("sig_late", writer.publicKey, "v1.x.y"), "signing_key"],
    [
      "a head without a counter behind one that has it",
      async () => {
        const [last] = await writer.rows(
          "SELECT sequence, hash FROM audit_events ORDER BY sequence DESC LIMIT 1",
        );
        await writer.insert("audit_heads", { ...last, at: 1, signed: head });
      },
      "signature",
    ],
    [
      "no count, as if it were from before",
      () => writer.run("UPDATE organizations SET audit_state = NULL"),
      "count",
    ],
  ])("is not from before any more when it then has %s", async (_what, forge, kind) => {
    const upgraded = await start();
    await upgraded.call("GET", "/v1/audit/head");
    await upgraded.call("GET", "/v1/audit");
    await forge();
    await upgraded.restart();
    expect(await verify(upgraded)).toMatchObject({ verdict: "broken", problem: { kind } });
  });
});
