import { randomBytes } from "node:crypto";
import { newId, type RewrapResult, type RootKeyStatus, Secret, secretValues } from "@keyloan/contract";
import type { Tables } from "@keyloan/store";
import { closeDataKey, createRootKey, openDataKey } from "@keyloan/vault";
import { compactVerify, importJWK } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Deps } from "./deps.ts";
import { createOwnerKey } from "./sealing/data-key.ts";
import { sealLease } from "./sealing/lease-values.ts";
import { type RunningBroker, startBroker } from "./start-broker.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { rewrapDataKeys } from "./verbs/root-key/rewrap-data-keys.ts";

let broker: TestBroker;
let second: RunningBroker | undefined;
beforeEach(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterEach(async () => {
  await second?.stop();
  second = undefined;
  await broker.close();
});

const status = async () => (await broker.call("GET", "/v1/root-key")).body as RootKeyStatus;
const rewrap = async () => (await broker.call("POST", "/v1/root-key/rewrap")).body as RewrapResult;
const addDataKeys = (count: number) => {
  const { deps } = broker.running();
  return deps.store.write([], async (tables) => {
    for (let index = 0; index < count; index++) {
      await tables.dataKeys.insert(createOwnerKey(deps, newId("build", randomBytes)).row);
    }
  });
};
/** Restarts with a new root key in front of the old one. */
const addRootKey = async () => {
  const old = broker.config.rootKey;
  const fresh = createRootKey(randomBytes).line;
  await broker.restart({ rootKey: Secret.of(`${fresh.reveal()}\n${old.reveal()}`) });
  return { old, fresh };
};
const by = { actor: { kind: "admin", subject: "test" } } as const;

describe("the root key", () => {
  test("tells how many data keys each wraps, and what is left", async () => {
    await broker.createBuild({ connectors: ["app-secrets"] });
    const { dataKeys, currentKeyId } = await status();
    expect(await status()).toMatchObject({
      left: 0,
      rootKeys: [{ id: currentKeyId, state: "current", dataKeys }],
    });
    await addRootKey();
    const during = await status();
    expect(during).toMatchObject({
      left: dataKeys,
      rootKeys: [
        { state: "current", dataKeys: 0 },
        { id: currentKeyId, state: "opens", dataKeys },
      ],
    });
    expect(await rewrap()).toMatchObject({ dataKeys, rewrapped: dataKeys, left: 0 });
    expect((await status()).left).toBe(0);
  });

  test("that is missing is told of, and what it wraps is left alone by a rotation", async () => {
    const { deps } = broker.running();
    const row = createOwnerKey(deps, newId("build", randomBytes)).row;
    await deps.store.write([], (tables) => tables.dataKeys.insert({ ...row, kid: "rk-lost" }));
    await addRootKey();
    expect(await rewrap()).toMatchObject({ left: 1 });
    expect((await status()).rootKeys).toContainEqual({ id: "rk-lost", state: "missing", dataKeys: 1 });
  });

  test("is rotated in bounded steps: a run that was cut short is finished by the next", async () => {
    await addDataKeys(450);
    await addRootKey();
    const { deps } = broker.running();
    const first = await rewrapDataKeys(deps, by, 0);
    expect(first.rewrapped).toBe(0);
    let left = first.left;
    // A page is written whole or not at all: stopping between two loses nothing.
    const transactions: number[] = [];
    const current = async ({ dataKeys }: Tables) =>
      (await dataKeys.countByRootKey()).find(({ kid }) => kid === deps.keyring.currentKeyId)?.count ?? 0;
    const counting: Deps["change"] = (by, scope, unit) =>
      deps.change(by, scope, async (tx) => {
        const before = await current(tx);
        const result = await unit(tx);
        transactions.push((await current(tx)) - before);
        return result;
      });
    const slow = { ...deps, change: counting };
    left = (await rewrapDataKeys(slow, by)).left;
    expect(left).toBe(0);
    expect(Math.max(...transactions)).toBeLessThanOrEqual(200);
    expect(transactions.length).toBeGreaterThanOrEqual(3);
  });

  test("is rotated while two brokers read and make builds, and nothing that is sealed is lost", async () => {
    await addDataKeys(600);
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const env = await broker.readEnv(id);
    const { deps: before } = broker.running();
    const signed = await before.signer.sign("test", { a: 1 });
    const fingerprint = before.fingerprint.ofValues(secretValues({ a: "some value" }));
    const { fresh } = await addRootKey();
    second = await startBroker({ ...broker.config, port: 0 }, { now: broker.now });
    const other = second;
    const readOther = async () => {
      const answer = await fetch(`http://127.0.0.1:${other.port}/v1/builds/${id}/env`, {
        headers: { authorization: `Bearer ${broker.adminToken}` },
      });
      return answer.json();
    };
    let isDone = false;
    const reads = (async () => {
      for (let count = 0; !isDone || count < 5; count++) {
        expect([await broker.readEnv(id), await readOther()]).toEqual([env, env]);
      }
    })();
    const rewraps = Promise.all([rewrapDataKeys(broker.running().deps, by), rewrapDataKeys(other.deps, by)]);
    const made = await broker.createBuild({ connectors: ["app-secrets"] });
    const results = await rewraps;
    isDone = true;
    await reads;
    expect(results.map(({ left }) => left)).toEqual([0, 0]);
    await second.stop();
    second = undefined;
    await broker.restart({ rootKey: fresh });
    expect(await broker.readEnv(id)).toEqual(env);
    expect(Object.keys(await broker.readEnv(made.id))).toContain("JWT_SECRET");
    const { deps } = broker.running();
    expect(deps.fingerprint.ofValues(secretValues({ a: "some value" }))).toBe(fingerprint);
    const [key] = await deps.signer.publicKeys();
    const { payload } = await compactVerify(signed, await importJWK(key ?? {}, "EdDSA"));
    expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({ a: 1 });
    expect(await deps.signer.sign("test", { a: 2 })).toEqual(expect.any(String));
  });

  test("touches no value: an envelope is the same text before and after", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const rows = () => broker.running().deps.store.read.leases.listByBuild(id);
    const before = await rows();
    await addRootKey();
    await rewrap();
    expect(await rows()).toEqual(before);
    const { deps } = broker.running();
    const dataKey = (await deps.store.read.dataKeys.findByOwner(id)) ?? expect.fail();
    closeDataKey(openDataKey(deps.keyring, dataKey));
    expect(dataKey.kid).toBe(deps.keyring.currentKeyId);
    expect(sealLease(deps, dataKey, "lse_x", secretValues({ a: "b" }))).toEqual(expect.any(String));
  });
});
