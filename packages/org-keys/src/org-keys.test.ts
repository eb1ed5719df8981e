import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, secretValues } from "@keyloan/contract";
import { openStore, type Store, type StoredCheck } from "@keyloan/store";
import { createDataKey, createFingerprinter, createRootKey, parseKeyring, ready } from "@keyloan/vault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OrgKeyDeps, openActiveOrgKey, openOrgKeysOfLease, openOrgKeyVersion } from "./open-org-key.ts";
import { type PutOrgKeyDeps, putOrgKey } from "./put-org-key.ts";

let folder: string;
let store: Store;
let deps: PutOrgKeyDeps & OrgKeyDeps;
let clock: number;

beforeEach(async () => {
  await ready;
  folder = await mkdtemp(join(tmpdir(), "keyloan-org-keys-"));
  store = await openStore({ path: join(folder, "store.db") });
  const keyring = parseKeyring(createRootKey(randomBytes).line);
  const organizationId = newId("organization", randomBytes);
  const { record, key } = createDataKey(keyring, {
    id: newId("dataKey", randomBytes),
    ownerId: organizationId,
  });
  await store.write([], (tables) => tables.dataKeys.insert({ ...record, createdAt: 0 }));
  clock = 100;
  const fingerprint = createFingerprinter(key);
  deps = { store, keyring, organizationId, fingerprint, now: () => clock, randomBytes };
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const check = (account?: string): StoredCheck => ({
  status: "valid",
  capabilities: [],
  warnings: [],
  ...(account === undefined ? {} : { account }),
});
function put(token: string, account?: string) {
  return putAgain(token, token.toUpperCase(), account);
}
async function putAgain(token: string, fact: string, account?: string) {
  clock += 100;
  const fields = secretValues({ token });
  const input = { connectorId: "acme", fields, facts: { fact }, check: check(account) };
  return (await store.write(["acme"], (tables) => putOrgKey(deps, tables, input))).row;
}
const tokensFor = async (orgKeyVersion: number | null, createdAt: number) => {
  const { credentials, askEach } = await openOrgKeysOfLease(deps, {
    connectorId: "acme",
    orgKeyVersion,
    createdAt,
  });
  return { tokens: credentials.map(({ fields }) => fields.token?.reveal()), askEach };
};

describe("org keys", () => {
  it("come back as they were put, with their facts, newest version first in line", async () => {
    await put("one");
    await put("two");
    const active = await openActiveOrgKey(deps, "acme");
    expect([active?.version, active?.fields.token?.reveal(), active?.facts.fact]).toEqual([2, "two", "TWO"]);
    expect(await openActiveOrgKey(deps, "other")).toBeUndefined();
  });

  it("make no new version of the same key, only a new check", async () => {
    const first = await put("one", "acct_1");
    const again = await put("one", "acct_2");
    expect([again.version, again.id, again.check.account]).toEqual([1, first.id, "acct_2"]);
  });

  it("take the facts of a key that is put again: what was prepared may have been made anew", async () => {
    await put("one");
    const again = await putAgain("one", "new");
    expect([again.version, again.facts.fact]).toEqual([1, "new"]);
    expect((await openActiveOrgKey(deps, "acme"))?.facts.fact).toBe("new");
  });

  it("keep the version before as retiring, for nobody has seen yet that it is dead", async () => {
    await put("one");
    await put("two");
    const rows = await store.read.orgKeys.listVersions(deps.organizationId, "acme");
    expect(rows.map(({ version, state }) => [version, state])).toEqual([
      [2, "active"],
      [1, "retiring"],
    ]);
  });

  it("are new or not, and nothing of one is left when the transaction fails", async () => {
    const fields = (token: string) => ({ fields: secretValues({ token }), facts: {}, check: check() });
    const putOne = async () =>
      store.write(["acme"], (tables) => putOrgKey(deps, tables, { connectorId: "acme", ...fields("one") }));
    expect([(await putOne()).isNew, (await putOne()).isNew]).toEqual([true, false]);
    const failing = store.write(["acme"], async (tables) => {
      await putOrgKey(deps, tables, { connectorId: "acme", ...fields("two") });
      throw new Error("no room");
    });
    await expect(failing).rejects.toThrow("no room");
    expect((await openActiveOrgKey(deps, "acme"))?.version).toBe(1);
  });

  it("never stand in the clear in the row, and do not open as another connector's or version's", async () => {
    await put("canary-token-value");
    await put("second");
    const [second, first] = await store.read.orgKeys.listVersions(deps.organizationId, "acme");
    expect(JSON.stringify(first)).not.toContain("canary-token-value");
    if (first === undefined || second === undefined) throw new Error("two versions were put");
    await store.write([], (tables) =>
      tables.orgKeys.insert({ ...first, id: "key_moved", connectorId: "other" }),
    );
    await expect(openActiveOrgKey(deps, "other")).resolves.toBeUndefined();
    await store.write([], (tables) =>
      tables.orgKeys.insert({ ...first, id: "key_moved_2", connectorId: "third", state: "active" }),
    );
    await expect(openActiveOrgKey(deps, "third")).rejects.toMatchObject({ name: "VaultError" });
  });

  it.each([
    ["its own version first, then the newest of the same account", "acct_1", "acct_1", ["one", "two"]],
    ["its own version alone when the newest is another account's", "acct_1", "acct_2", ["one"]],
    ["its own version alone when the accounts are not known", undefined, undefined, ["one"]],
  ])("end a lease with %s", async (_what, firstAccount, secondAccount, tokens) => {
    await put("one", firstAccount);
    await put("two", secondAccount);
    expect(await tokensFor(1, 250)).toEqual({ tokens, askEach: false });
  });

  it.each([
    ["the newest of the same account", ["acct_1", "acct_1", "acct_2"], ["two"]],
    ["nothing when every other one is another account's", ["acct_1", "acct_2", "acct_2"], []],
  ])("end a lease whose version was erased with %s", async (_what, accounts, tokens) => {
    const [first] = [
      await put("one", accounts[0]),
      await put("two", accounts[1]),
      await put("three", accounts[2]),
    ];
    await store.write([], (tables) => tables.orgKeys.retire(first.id, 1000));
    expect(await tokensFor(1, 250)).toEqual({ tokens, askEach: false });
    expect((await tokensFor(null, 10)).tokens).toEqual(["three", "two"]);
  });

  it("hold nothing of an erased version any more, and it cannot be opened", async () => {
    const row = await put("canary-token-value");
    await put("two");
    await store.write([], (tables) => tables.orgKeys.retire(row.id, 1000));
    const erased = await store.read.orgKeys.find(row.id);
    expect(erased).toMatchObject({ state: "retired", fields: "", provenDeadAt: 1000 });
    await expect(openOrgKeyVersion(deps, erased ?? row)).rejects.toThrow("erased");
    expect(await store.write([], (tables) => tables.orgKeys.retire(row.id, 2000))).toBe(false);
  });

  it("end a lease of unknown version with every key that was lent in its time", async () => {
    await put("one");
    await put("two");
    await put("three");
    expect(await tokensFor(null, 300)).toEqual({ tokens: ["three", "two"], askEach: true });
    expect(await tokensFor(null, 10)).toEqual({ tokens: ["three", "two", "one"], askEach: true });
  });
});
