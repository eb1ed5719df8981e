import { createHash } from "node:crypto";
import { createStoreWriter, type StoreWriter } from "../../../apps/broker/src/testing/store-writer.ts";
import { each, type Family, spoilIf } from "../attack.ts";
import { type Answer, type Browser, newBrowser } from "../client.ts";
import type { Ground } from "../ground.ts";
import type { Machine } from "../machine.ts";

/** Who writes to the store of a running broker, and has no key: what they put there is nobody's. */
type Forger = {
  readonly ground: Ground;
  readonly writer: StoreWriter;
  readonly victim: { readonly id: string; readonly person: Browser };
};

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const isIn = ({ status }: Answer) => status < 300;

const forgeries: Readonly<Record<string, (forger: Forger) => Promise<string | undefined>>> = {
  "a-token": async ({ ground, writer }) => {
    const [known = "", made = ""] = [
      await ground.apiToken("builds:read"),
      await ground.apiToken("builds:read"),
    ];
    const row = await writer.only(`SELECT * FROM tokens WHERE hash = '${sha(known)}'`);
    await writer.run(`DELETE FROM tokens WHERE hash IN ('${sha(known)}', '${sha(made)}')`);
    await writer.insert("tokens", { ...row, hash: sha(made) });
    return spoilIf(isIn(await ground.send("GET", "/v1/builds", { token: made })), "an inserted token opens");
  },
  "more-scopes": async ({ ground, writer }) => {
    const token = await ground.apiToken("builds:read");
    await writer.run(`UPDATE tokens SET scopes = '["builds:write"]' WHERE hash = '${sha(token)}'`);
    const body = { name: "x", connectors: ["app-secrets"] };
    return spoilIf(isIn(await ground.send("POST", "/v1/builds", { token, body })), "it makes a build");
  },
  "a-token-of-another-build": async ({ ground, writer, victim }) => {
    const token = await ground.buildToken((await ground.newBuild()).id);
    await writer.run(`UPDATE tokens SET build_id = '${victim.id}' WHERE hash = '${sha(token)}'`);
    const read = await ground.send("GET", `/v1/builds/${victim.id}/env`, { token });
    return spoilIf(isIn(read), "it reads another build's env");
  },
  "a-yes-about-the-preview": async ({ ground, writer, victim }) => {
    await writer.run(`UPDATE bindings SET preview = 1 WHERE build_id = '${victim.id}'`);
    return readsOwnValues(ground, victim.id);
  },
  "no-answer-about-the-preview": async ({ ground, writer, victim }) => {
    await writer.run(`UPDATE bindings SET preview = NULL WHERE build_id = '${victim.id}'`);
    return readsOwnValues(ground, victim.id);
  },
  "the-lent-binding-of-another-build": async ({ ground, writer, victim }) => {
    const other = await ground.newBuild();
    const { lease_id } = await writer.only(`SELECT lease_id FROM bindings WHERE build_id = '${other.id}'`);
    await writer.run(
      `UPDATE bindings SET source = 'org', lease_id = '${lease_id}' WHERE build_id = '${victim.id}'`,
    );
    const token = await ground.buildToken(victim.id).catch(() => "");
    const read = await ground.send("GET", `/v1/builds/${victim.id}/env?format=json`, { token });
    const values = Object.values(read.json).map(String);
    return spoilIf(
      values.some((value) => other.values.includes(value)),
      "it reads another build's values",
    );
  },
  "a-visit-of-the-person": async ({ ground, writer, victim }) => {
    const visitor = await ground.visit(victim.id);
    const cookie = visitor.cookies.get(`keyloan_session_${victim.id}`) ?? "";
    const { id } = await writer.only(`SELECT id FROM persons WHERE build_id = '${victim.id}'`);
    await writer.run(`UPDATE sessions SET person_id = '${id}' WHERE hash = '${sha(cookie)}'`);
    return spoilIf(isIn(await visitor.send("GET", "/v1/settings/env-file")), "it downloads their file");
  },
  "a-recovery-code": async ({ ground, writer, victim }) => {
    const own = await ground.attacker();
    const { recovery_hash } = await writer.only(
      `SELECT recovery_hash FROM persons WHERE build_id = '${own.id}'`,
    );
    await writer.run(
      `UPDATE persons SET recovery_hash = recovery_hash || 'x' WHERE build_id = '${own.id}'`,
      `UPDATE persons SET recovery_hash = '${recovery_hash}' WHERE build_id = '${victim.id}'`,
    );
    const file = await own.person.send("GET", "/v1/settings/env-file", {
      headers: { "x-keyloan-build": victim.id },
    });
    return spoilIf(isIn(file), "another's code opens their file");
  },
  "what-they-saved": async ({ ground, writer, victim }) => {
    const own = await ground.attacker();
    const { person_id } = await writer.only(`SELECT person_id FROM user_keys WHERE build_id = '${own.id}'`);
    await writer.run(`UPDATE user_keys SET person_id = '${person_id}' WHERE build_id = '${victim.id}'`);
    const file = await victim.person.send("GET", "/v1/settings/env-file");
    return spoilIf(isIn(file), "what is not the person's by its row is in their file");
  },
  "words-of-a-check": async ({ writer, victim }) => {
    const check = { status: "valid", account: "evil-account", capabilities: [], warnings: ["evil words"] };
    await writer.run(
      `UPDATE user_keys SET last_check = '${JSON.stringify(check)}' WHERE build_id = '${victim.id}'`,
    );
    const { text } = await victim.person.send("GET", "/v1/settings");
    return spoilIf(/evil/.test(text), "the page shows them");
  },
  "a-job": async ({ ground, writer, victim }) => {
    const { lease_id } = await writer.only(`SELECT lease_id FROM bindings WHERE build_id = '${victim.id}'`);
    const id = `job_${"0".repeat(16)}${victim.id.slice(-4)}`;
    await writer.insert("jobs", {
      ...{ id, kind: "release", entity_id: lease_id ?? null, build_id: victim.id, state: "waiting" },
      ...{ run_after: 1, attempts: 0, fence: 0, created_at: 1 },
    });
    for (let looks = 0; looks < 100; looks++) {
      const { json } = await ground.admin(200, "GET", `/v1/jobs/${id}`);
      if (json.state !== "waiting") return spoilIf(json.state !== "failed", `it is ${json.state}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return "the job waits on";
  },
  "a-payload-nested-without-end": async ({ ground, writer, victim }) => {
    const id = `job_${"2".repeat(16)}${victim.id.slice(-4)}`;
    await writer.insert("jobs", {
      ...{ id, kind: "issue", entity_id: "x", state: "waiting", run_after: 1, attempts: 0, fence: 0 },
      ...{ created_at: 1, payload: "[".repeat(10_000) + "]".repeat(10_000) },
    });
    const listed = await ground.send("GET", "/v1/jobs?limit=200", { token: ground.adminToken });
    return spoilIf(listed.status >= 500, "the list of jobs breaks");
  },
  "a-link": async ({ ground, writer, victim }) => {
    const own = await ground.newCode((await ground.newBuild()).id);
    await writer.run(`UPDATE handoffs SET build_id = '${victim.id}' WHERE hash = '${sha(own)}'`);
    const opened = await newBrowser(ground.send).send("POST", "/v1/session", { body: { code: own } });
    return spoilIf(opened.status === 201, "a link of another build opens the page");
  },
  "an-idempotency-key": async ({ ground, writer, victim }) => {
    const key = `forged-${victim.id}`;
    const make = (idempotencyKey: string) =>
      ground.send("POST", "/v1/builds?wait=20", {
        token: ground.adminToken,
        body: { name: "x", connectors: ["app-secrets"] },
        headers: { "idempotency-key": idempotencyKey },
      });
    await make(`first-${victim.id}`);
    const row = await writer.only(`SELECT * FROM idempotency_keys WHERE key = 'first-${victim.id}'`);
    await writer.insert("idempotency_keys", { ...row, key, build_id: victim.id });
    return spoilIf((await make(key)).json.id === victim.id, "it hands out another's build");
  },
  "steps-of-a-job": async ({ ground, writer, victim }) => {
    const id = `job_${"1".repeat(16)}${victim.id.slice(-4)}`;
    const steps = [{ text: "evil words", url: "https://evil.example" }];
    await writer.insert("jobs", {
      ...{ id, kind: "issue", entity_id: "x", state: "requires_action", run_after: 8e15, attempts: 1 },
      ...{ fence: 0, created_at: 1, required_action: JSON.stringify({ since: 1, dueAt: 2, steps }) },
    });
    const { text } = await ground.admin(200, "GET", "/v1/jobs?limit=200");
    return spoilIf(/evil/.test(text), "the list of jobs shows them");
  },
};

async function readsOwnValues(ground: Ground, id: string) {
  const read = await ground.send("GET", `/v1/builds/${id}/env`, { token: ground.adminToken });
  return spoilIf(isIn(read), "the build reads what its user keeps from it");
}

/** A build whose user has switched and keeps their values from the preview. */
async function keptBuild(ground: Ground) {
  const { id } = await ground.newBuild();
  const person = await ground.visit(id);
  await ground.save(person);
  const { version } = (await person.send("GET", "/v1/settings")).json;
  const body = { expectedVersion: version, preview: { "app-secrets": false } };
  const swapped = await person.send("POST", "/v1/settings/swap", { body });
  if (swapped.status !== 200) throw new Error(`the switch failed: ${swapped.status} ${swapped.text}`);
  return { id, person };
}

export const forgedRows: Family = {
  name: "forged-rows",
  on: "machine",
  attacks: each(forgeries, async (machine: Machine, forge) => {
    const { ground, environment } = machine;
    const writer = await createStoreWriter(environment.KEYLOAN_DATA_DIR ?? "");
    return forge({ ground, writer, victim: await keptBuild(ground) });
  }),
};
