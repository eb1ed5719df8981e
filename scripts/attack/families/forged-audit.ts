import { cp } from "node:fs/promises";
import { join } from "node:path";
import { createStoreWriter, type StoreWriter } from "../../../apps/broker/src/testing/store-writer.ts";
import { each, type Family, spoilIf } from "../attack.ts";
import type { Machine } from "../machine.ts";

/** What somebody does who can write to the store, and has no key. The audit has a head at its middle and at its end. */
const forgeries: Readonly<Record<string, (writer: StoreWriter) => Promise<unknown>>> = {
  "own-key-among-the-signing-keys": (writer) => insertOwnKey(writer),
  "own-key-instead-of-the-brokers": (writer) =>
    writer.run(`UPDATE signing_keys SET public_key = '${writer.publicKey}'`),
  "key-without-its-mac": (writer) => writer.run("UPDATE signing_keys SET mac = NULL"),
  "no-signing-key": (writer) => writer.run("DELETE FROM signing_keys"),
  "no-heads": (writer) => writer.run("DELETE FROM audit_heads"),
  "no-last-head": (writer) =>
    writer.run("DELETE FROM audit_heads WHERE sequence = (SELECT max(sequence) FROM audit_heads)"),
  "no-first-head": (writer) =>
    writer.run("DELETE FROM audit_heads WHERE sequence = (SELECT min(sequence) FROM audit_heads)"),
  "cut-with-its-heads": (writer) =>
    writer.run(
      "DELETE FROM audit_events WHERE sequence > (SELECT min(sequence) FROM audit_heads)",
      "DELETE FROM audit_heads WHERE sequence > (SELECT min(sequence) FROM audit_heads)",
    ),
  emptied: (writer) => writer.run(...empty),
  "emptied-with-keys-and-count": (writer) =>
    writer.run(...empty, "DELETE FROM signing_keys", "UPDATE organizations SET audit_state = NULL"),
  "no-count": (writer) => writer.run("UPDATE organizations SET audit_state = NULL"),
  "another-envelope-as-the-count": (writer) =>
    writer.run("UPDATE organizations SET audit_state = (SELECT private_key FROM signing_keys)"),
  "a-changed-row": (writer) => writer.run("UPDATE audit_events SET entity = 'harmless' WHERE sequence = 2"),
  "a-changed-row-with-its-hash": (writer) =>
    writer.run(
      `UPDATE audit_events SET entity = 'harmless', hash = '${"0".repeat(64)}' WHERE sequence = 2`,
      `UPDATE audit_events SET previous_hash = '${"0".repeat(64)}' WHERE sequence = 3`,
    ),
  "a-removed-row-and-new-numbers": (writer) =>
    writer.run(
      "DELETE FROM audit_events WHERE sequence = 2",
      "UPDATE audit_events SET sequence = sequence - 1 WHERE sequence > 2",
      "UPDATE audit_heads SET sequence = sequence - 1",
    ),
  "two-rows-in-another-order": (writer) =>
    writer.run(
      "UPDATE audit_events SET sequence = -1 WHERE sequence = 2",
      "UPDATE audit_events SET sequence = 2 WHERE sequence = 3",
      "UPDATE audit_events SET sequence = 3 WHERE sequence = -1",
    ),
  "an-older-head-for-a-newer": (writer) =>
    writer.run(
      "UPDATE audit_heads SET signed = (SELECT signed FROM audit_heads ORDER BY sequence LIMIT 1) WHERE sequence = (SELECT max(sequence) FROM audit_heads)",
    ),
};

const empty = ["DELETE FROM audit_heads", "DELETE FROM audit_events", "DELETE FROM sqlite_sequence"];

async function insertOwnKey(writer: StoreWriter): Promise<void> {
  const [row = {}] = await writer.rows("SELECT * FROM signing_keys");
  await writer.insert("signing_keys", {
    ...row,
    id: "sig_00000000000000000000",
    public_key: writer.publicKey,
    created_at: Number(row.created_at) + 1,
  });
}

export const forgedAudit: Family = {
  name: "forged-audit",
  on: "machine",
  attacks: each(forgeries, async (machine: Machine, forge) => {
    const folder = await machine.newFolder("audit");
    const { template, environment } = await signedStore(machine);
    const data = join(folder, "data");
    await cp(template, data, { recursive: true });
    await forge(await createStoreWriter(data));
    const broker = await machine.start({ ...environment, KEYLOAN_DATA_DIR: data });
    try {
      const { json } = await broker.ground.admin(200, "POST", "/v1/audit/verify", {});
      return spoilIf(json.verdict !== "broken", `the audit is called ${json.verdict}`);
    } finally {
      await broker.stop();
    }
  }),
};

type Signed = { readonly template: string; readonly environment: Readonly<Record<string, string>> };
const stores = new WeakMap<Machine, Promise<Signed>>();

/** A store whose audit was signed twice, made once. */
function signedStore(machine: Machine): Promise<Signed> {
  const known = stores.get(machine) ?? signStore(machine);
  stores.set(machine, known);
  return known;
}

async function signStore(machine: Machine): Promise<Signed> {
  const template = join(await machine.newFolder("signed"), "data");
  const environment = machine.configure(template);
  const broker = await machine.start(environment);
  try {
    for (const name of ["a", "b"]) {
      for (const more of ["1", "2"])
        await broker.ground.admin(201, "POST", "/v1/tokens", { name: name + more, scopes: ["builds:read"] });
      await broker.ground.admin(200, "GET", "/v1/audit/head");
    }
  } finally {
    await broker.stop();
  }
  return { template, environment };
}
