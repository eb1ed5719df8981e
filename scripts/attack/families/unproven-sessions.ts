import { type Attack, type Family, spoilIf } from "../attack.ts";
import { newBrowser } from "../client.ts";
import type { Ground, Victim } from "../ground.ts";

const keys = "/v1/settings/keys/app-secrets";
const values = { submission: { values: {} } };

/** Every way to write to a person's settings, or to read what they saved. */
const routes: Readonly<Record<string, { readonly call: readonly [string, string]; readonly body?: object }>> =
  {
    save: { call: ["PUT", keys], body: values },
    "save-another": { call: ["PUT", "/v1/settings/keys/turso"], body: values },
    validate: { call: ["POST", `${keys}/validate`], body: values },
    recheck: { call: ["POST", `${keys}/recheck`], body: {} },
    remove: { call: ["DELETE", `${keys}?expectedVersion=VERSION`] },
    swap: { call: ["POST", "/v1/settings/swap"], body: {} },
    "dry-run": { call: ["POST", "/v1/settings/swap"], body: { dryRun: true } },
    preview: { call: ["POST", "/v1/settings/preview"], body: { preview: { "app-secrets": true } } },
    revert: { call: ["POST", "/v1/settings/revert"], body: {} },
    finish: { call: ["POST", "/v1/settings/finish"], body: {} },
    "env-file": { call: ["GET", "/v1/settings/env-file"] },
    "env-file-as-json": { call: ["GET", "/v1/settings/env-file?format=json"] },
    "new-recovery-code": { call: ["POST", "/v1/settings/recovery"], body: {} },
    "allow-tokens": { call: ["PUT", "/v1/settings/tokens-may"], body: { tokensMay: ["transfer", "revert"] } },
    transfer: { call: ["POST", "/v1/settings/transfer"], body: {} },
    "cancel-transfer": { call: ["POST", "/v1/settings/transfer/cancel"], body: {} },
    "resume-transfer": { call: ["POST", "/v1/settings/transfer/resume"], body: {} },
    "download-database": { call: ["GET", "/v1/settings/databases/turso/download"] },
  };

type Visitor = (ground: Ground, victim: Victim) => Promise<Readonly<Record<string, string>>>;

/** Sessions that prove nothing about this build's person. */
const visitors: Readonly<Record<string, Visitor>> = {
  "new-link": async (_, { unproven }) => ({ cookie: unproven.cookieHeader() }),
  "another-builds-session": async (ground) => ({
    cookie: (await ground.attacker()).person.cookieHeader(),
  }),
  "renamed-session-cookie": async (ground, victim) => {
    const { person, id } = await ground.attacker();
    return { cookie: person.cookieHeader().replaceAll(id, victim.id) };
  },
  "another-persons-cookie": async (ground, { unproven }) => {
    const { person } = await ground.attacker();
    return { cookie: `${unproven.cookieHeader("session")}; ${person.cookieHeader("person")}` };
  },
};

export const unprovenSessions: Family = {
  name: "unproven-sessions",
  on: "broker",
  attacks: Object.entries(visitors).flatMap(([who, headersOf]) =>
    Object.entries(routes).map(([what, { call, body }]): Attack<Ground> => {
      return { id: `${who}-${what}`, run: (ground) => tryRoute(ground, headersOf, call, body) };
    }),
  ),
};

async function tryRoute(
  ground: Ground,
  headersOf: Visitor,
  [method, path]: readonly [string, string],
  body: object | undefined,
) {
  const victim = await ground.victim();
  const before = (await victim.person.send("GET", "/v1/settings")).json;
  const answer = await newBrowser(ground.send).send(method, path.replace("VERSION", String(before.version)), {
    headers: { ...(await headersOf(ground, victim)), "x-keyloan-build": victim.id },
    ...(body === undefined ? {} : { body: { ...body, expectedVersion: before.version } }),
  });
  const after = (await victim.person.send("GET", "/v1/settings")).json;
  const changed = after.version !== before.version;
  return spoilIf(
    answer.status < 400 || answer.status === 500 || changed,
    `answered ${answer.status}${changed ? " and changed the settings" : ""}`,
  );
}
