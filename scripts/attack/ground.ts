import { type Answer, type Browser, newBrowser, patient, type Send, senderTo } from "./client.ts";

/** A broker under attack, and what the suite may ask of it as its operator. */
export type Ground = {
  readonly url: string;
  readonly adminToken: string;
  /** Waits as it is told when it was limited. */
  readonly send: Send;
  /** Takes the first answer, whatever it is. */
  readonly sendOnce: Send;
  /** As the operator. @throws Error when the answer has another status */
  readonly admin: (status: number, method: string, path: string, body?: unknown) => Promise<Answer>;
  readonly newBuild: () => Promise<Build>;
  readonly buildToken: (buildId: string, body?: unknown) => Promise<string>;
  readonly apiToken: (scope: string) => Promise<string>;
  readonly newCode: (buildId: string) => Promise<string>;
  /** A browser with a session that a new link has opened. */
  readonly visit: (buildId: string) => Promise<Browser>;
  readonly save: (browser: Browser) => Promise<Answer>;
  /** A build whose person has saved keys, prepared once. */
  readonly victim: () => Promise<Victim>;
  /** A build that belongs to the attacker, prepared once. */
  readonly attacker: () => Promise<Attacker>;
};

export type Build = { readonly id: string; readonly values: readonly string[] };
export type Victim = Build & {
  readonly person: Browser;
  readonly recovery: string;
  readonly unproven: Browser;
};
export type Attacker = Build & { readonly token: string; readonly person: Browser };

/** App secrets need no provider, so every broker can lend them. */
const connector = "app-secrets";

export function createGround(url: string, adminToken: string): Ground {
  const sendOnce = senderTo(url);
  const send = patient(sendOnce);
  const admin: Ground["admin"] = async (status, method, path, body) => {
    const answer = await send(method, path, { token: adminToken, ...(body === undefined ? {} : { body }) });
    if (answer.status !== status) {
      throw new Error(`${method} ${path} answered ${answer.status}, not ${status}: ${answer.text}`);
    }
    return answer;
  };
  const newBuild = async (): Promise<Build> => {
    const { json } = await admin(201, "POST", "/v1/builds?wait=20", {
      name: "attacked",
      connectors: [connector],
    });
    const id = String(json.id);
    const env = await admin(200, "GET", `/v1/builds/${id}/env?format=json`);
    return { id, values: Object.values(env.json).map(String) };
  };
  const newCode = async (buildId: string) => {
    const { json } = await admin(201, "POST", `/v1/builds/${buildId}/handoff`, {});
    return new URL(String(json.url)).hash.replace("#code=", "");
  };
  const visit = async (buildId: string) => {
    const browser = newBrowser(send);
    const opened = await browser.send("POST", "/v1/session", { body: { code: await newCode(buildId) } });
    if (opened.status !== 201) throw new Error(`no session: ${opened.status} ${opened.text}`);
    browser.look(buildId);
    return browser;
  };
  const save = async (browser: Browser) => {
    const { json } = await browser.send("GET", "/v1/settings");
    const body = { submission: { values: {} }, expectedVersion: json.version };
    return browser.send("PUT", `/v1/settings/keys/${connector}`, { body });
  };
  const buildToken = async (buildId: string, body: unknown = {}) =>
    String((await admin(201, "POST", `/v1/builds/${buildId}/tokens`, body)).json.token);
  return {
    url,
    adminToken,
    send,
    sendOnce,
    admin,
    newBuild,
    newCode,
    visit,
    save,
    buildToken,
    apiToken: async (scope) =>
      String((await admin(201, "POST", "/v1/tokens", { name: "attack", scopes: [scope] })).json.token),
    victim: once(async () => {
      const build = await newBuild();
      const person = await visit(build.id);
      const saved = await save(person);
      if (saved.status !== 200) throw new Error(`the victim could not save: ${saved.text}`);
      const { recovery } = saved.json as { recovery?: { code: string } };
      return { ...build, person, recovery: recovery?.code ?? "", unproven: await visit(build.id) };
    }),
    attacker: once(async () => {
      const build = await newBuild();
      const person = await visit(build.id);
      await save(person);
      return { ...build, person, token: await buildToken(build.id, { ttlSeconds: 3600 }) };
    }),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
