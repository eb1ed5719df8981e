import { randomBytes } from "node:crypto";
import { each, type Family, spoilIf } from "../attack.ts";
import { type Answer, type Browser, newBrowser } from "../client.ts";
import type { Ground } from "../ground.ts";

type Saved = { readonly id: string; readonly person: Browser; readonly recovery: string };

async function savedBuild(ground: Ground): Promise<Saved> {
  const { id } = await ground.newBuild();
  const person = await ground.visit(id);
  const { recovery } = (await ground.save(person)).json as { recovery?: { code: string } };
  return { id, person, recovery: recovery?.code ?? "" };
}

const openWith = async (ground: Ground, body: object, headers = {}): Promise<[Browser, Answer]> => {
  const browser = newBrowser(ground.sendOnce);
  return [browser, await browser.send("POST", "/v1/session", { body, headers })];
};
const renew = (browser: Browser) => browser.send("POST", "/v1/settings/recovery", { body: {} });
const codeIn = ({ json }: Answer) =>
  (json as { recovery?: { code: string }; code?: string }).recovery?.code ?? String(json.code ?? "");

/** Ways to be taken for a person, to stay one, and to have the broker work for it. */
const attempts: Readonly<Record<string, (ground: Ground) => Promise<string | undefined>>> = {
  "a-cookie-noted-before-the-first-save": async (ground) => {
    const { id } = await ground.newBuild();
    const person = await ground.visit(id);
    const noted = person.cookieHeader("keyloan_person");
    await ground.save(person);
    const answer = await ground.send("POST", "/v1/session", {
      body: { buildId: id },
      headers: { cookie: noted, "x-keyloan-session": "1" },
    });
    return spoilIf(answer.status === 201, "it opens what was saved later");
  },
  "a-copy-that-saves-and-outlives-forgetting": async (ground) => {
    const { id, person } = await savedBuild(ground);
    const copy = { cookie: person.cookieHeader("keyloan_person"), "x-keyloan-session": "1" };
    const thief = newBrowser(ground.sendOnce);
    const opened = await thief.send("POST", "/v1/session", { body: { buildId: id }, headers: copy });
    if (opened.status !== 201) return `the copy opens nothing: ${opened.status}`;
    thief.look(id);
    await ground.save(thief);
    await person.send("DELETE", "/v1/session?forget=true");
    const again = await thief.send("POST", "/v1/session", { body: { buildId: id } });
    const file = await thief.send("GET", "/v1/settings/env-file");
    return spoilIf(again.status < 300 || file.status < 300, "it is the person still");
  },
  "a-visit-by-the-code-from-before": async (ground) => {
    const { id, person, recovery } = await savedBuild(ground);
    const [other, opened] = await openWith(ground, { recovery });
    if (opened.status !== 201) return `the code opens nothing: ${opened.status}`;
    other.look(id);
    await renew(person);
    const answer = await other.send("GET", "/v1/settings/env-file");
    return spoilIf(answer.status < 300, "it stays open when a new code was made");
  },
  "three-new-codes-at-once": async (ground) => {
    const { person } = await savedBuild(ground);
    const made = await Promise.all([renew(person), renew(person), renew(person)]);
    const opened = await Promise.all(made.map((answer) => openWith(ground, { recovery: codeIn(answer) })));
    const count = opened.filter(([, { status }]) => status === 201).length;
    return spoilIf(count !== 1, `${count} of them work`);
  },
  "first-saves-that-cross": async (ground) => {
    const { id, person } = await savedBuild(ground);
    const before = person.cookieHeader("keyloan_person");
    const others = await Promise.all([ground.newBuild(), ground.newBuild()]);
    const codes = await Promise.all(others.map((other) => ground.newCode(other.id)));
    for (const code of codes) await person.send("POST", "/v1/session", { body: { code } });
    const cookies = person.cookieHeader("keyloan_session");
    const saves = await Promise.all(
      others.map((other) =>
        ground.send("PUT", "/v1/settings/keys/app-secrets", {
          body: { submission: { values: {} }, expectedVersion: 0 },
          headers: { cookie: `${cookies}; ${before}`, "x-keyloan-build": other.id, "x-keyloan-session": "1" },
        }),
      ),
    );
    const last = saves
      .at(-1)
      ?.headers.getSetCookie()
      .find((line) => line.includes("keyloan_person"));
    const answer = await ground.send("POST", "/v1/session", {
      body: { buildId: id },
      headers: { cookie: last?.split(";")[0] ?? "", "x-keyloan-session": "1" },
    });
    return spoilIf(answer.status !== 201, `the browser is lost to its first app: ${answer.status}`);
  },
  "downloads-under-way": async (ground) => {
    const { id, person, recovery } = await savedBuild(ground);
    const { version } = (await person.send("GET", "/v1/settings")).json;
    await person.send("POST", "/v1/settings/swap", { body: { expectedVersion: version } });
    const [thief] = await openWith(ground, { recovery });
    thief.look(id);
    const download = () => thief.send("GET", "/v1/settings/env-file");
    await download();
    await Promise.all([renew(person), ...Array.from({ length: 8 }, download)]);
    const { json } = await ground.admin(200, "GET", `/v1/audit?entity=${id}&limit=50`);
    const { events = [] } = json as { events?: readonly { action: string }[] };
    const after = events.slice(
      0,
      events.findIndex(({ action }) => action === "person.recovery_renewed"),
    );
    return spoilIf(
      after.some(({ action }) => action === "env_file.read"),
      "a visit that has ended still downloads",
    );
  },
  "many-visits-with-one-code": async (ground) => {
    const { recovery } = await savedBuild(ground);
    for (let visit = 0; visit < 60; visit++) {
      const token = `klo_api_${randomBytes(32).toString("base64url")}`;
      const body = { recovery, padding: "x".repeat(visit) };
      const [, { status }] = await openWith(ground, visit % 2 === 0 ? { recovery } : body, {
        authorization: `Bearer ${token}`,
      });
      if (status === 429) return undefined;
    }
    return "sixty in a row are not limited";
  },
  "another-builds-file-by-its-name": async (ground) => {
    const { person } = await savedBuild(ground);
    const victim = await ground.victim();
    const answers = await Promise.all(
      ["build", "buildId", "id"].map((name) =>
        person.send("GET", `/v1/settings/env-file?${name}=${victim.id}`),
      ),
    );
    const got = answers.some(({ text }) => victim.values.some((value) => text.includes(value)));
    return spoilIf(got, "it is answered");
  },
  "a-download-that-another-site-asks-for": async (ground) => {
    const { id, person } = await savedBuild(ground);
    for (const site of ["cross-site", "same-site"]) {
      const answer = await ground.send("GET", "/v1/settings/env-file", {
        headers: { cookie: person.cookieHeader(), "x-keyloan-build": id, "sec-fetch-site": site },
      });
      if (answer.status < 300) return `${site} gets it`;
    }
    return undefined;
  },
  "head-and-get-of-a-token-for-one-use": async (ground) => {
    const { id } = await ground.newBuild();
    const token = await ground.buildToken(id, { singleUse: true });
    const path = `/v1/builds/${id}/env`;
    const answers = await Promise.all(
      ["HEAD", "GET", "HEAD", "GET"].map((method) => ground.send(method, path, { token })),
    );
    return spoilIf(answers.filter(({ status }) => status === 200).length > 1, "it worked more than once");
  },
  "tokens-may-and-remove-at-once": async (ground) => {
    const { id, person } = await savedBuild(ground);
    const token = await ground.apiToken("builds:write");
    const { version } = (await person.send("GET", "/v1/settings")).json;
    const body = { expectedVersion: version };
    const revert = () => ground.send("POST", `/v1/builds/${id}/revert`, { token, body: {} });
    const answers = await Promise.all([
      person.send("PUT", "/v1/settings/tokens-may", { body: { ...body, tokensMay: ["revert"] } }),
      person.send("POST", "/v1/settings/swap", { body }),
      person.send("DELETE", "/v1/settings/keys/app-secrets", { body }),
    ]);
    const done = answers.filter(({ status }) => status < 300).length;
    await person.send("PUT", "/v1/settings/tokens-may", {
      body: { tokensMay: [], expectedVersion: (await person.send("GET", "/v1/settings")).json.version },
    });
    const answer = await revert();
    if (done > 1) return `${done} changes of one version were made`;
    return spoilIf(answer.status < 300, "a token acts after its permission was taken back");
  },
  "finish-and-a-link-at-once": async (ground) => {
    const { id, person } = await savedBuild(ground);
    const step = async (name: string) => {
      const { version } = (await person.send("GET", "/v1/settings")).json;
      return person.send("POST", `/v1/settings/${name}`, { body: { expectedVersion: version } });
    };
    await step("swap");
    const code = await ground.newCode(id);
    const [, [browser]] = await Promise.all([step("finish"), openWith(ground, { code })]);
    browser.look(id);
    const answer = await browser.send("GET", "/v1/settings");
    return spoilIf(answer.status < 300, "a link opens a finished build");
  },
};

/** What a session may have the broker do again and again, before anything is decided. */
const works: Readonly<Record<string, { readonly path: string; readonly body: object }>> = {
  "dry-runs-of-a-switch": { path: "/v1/settings/swap", body: { dryRun: true } },
  "dry-runs-of-going-back": { path: "/v1/settings/revert", body: { dryRun: true } },
  "checks-of-a-key": { path: "/v1/settings/keys/app-secrets/validate", body: { submission: { values: {} } } },
};

export const proofs: Family = {
  name: "proofs",
  on: "broker",
  attacks: [
    ...each(attempts, (ground: Ground, attempt) => attempt(ground)),
    ...each(works, async (ground: Ground, { path, body }) => {
      const { id, person } = await savedBuild(ground);
      const { version } = (await person.send("GET", "/v1/settings")).json;
      const headers = { cookie: person.cookieHeader(), "x-keyloan-build": id, "x-keyloan-session": "1" };
      const statuses: number[] = [];
      for (let tries = 0; tries < 150; tries++) {
        const call = { headers, body: { expectedVersion: version, ...body } };
        const { status } = await ground.sendOnce("POST", path, call);
        if (status === 429) return undefined;
        statuses.push(status);
      }
      return `150 in a row are not limited: ${[...new Set(statuses)].join(", ")}`;
    }),
    ...each(
      { lists: "[", objects: '{"a":', "lists-in-a-name": '{"name":[[' },
      async (ground: Ground, opening) => {
        const raw = opening.repeat(20_000);
        const answer = await ground.send("POST", "/v1/builds", { token: ground.adminToken, raw });
        return spoilIf(answer.status >= 500, `a body nested deep answers ${answer.status}`);
      },
    ).map(({ id, run }) => ({ id: `nested-${id}`, run })),
  ],
};
