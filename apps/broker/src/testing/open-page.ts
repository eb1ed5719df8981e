import type { KeySubmission, OpenedSession, SavedAnswer, SettingsView } from "@keyloan/contract";
import sodium from "libsodium-wrappers";
import type { Answer, TestBroker } from "./create-test-broker.ts";

/** The cookies that a browser keeps, by name. */
export type TestBrowser = Map<string, string>;

/** What the settings page does over HTTP, without a browser. */
export type TestPage = {
  readonly browser: TestBrowser;
  readonly session: OpenedSession;
  /** The session's own cookie. */
  readonly cookie: string;
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
  readonly settings: () => Promise<SettingsView>;
  /** The version that a write must name now. */
  readonly version: () => Promise<number>;
  readonly seal: (values: Record<string, string>) => Promise<KeySubmission>;
  readonly save: (connector: string, values: Record<string, string>) => Promise<Answer>;
  /** A write of the settings that names their version. */
  readonly change: (method: string, path: string, body?: Record<string, unknown>) => Promise<Answer>;
};

/** A new link's code. */
export async function createCode(broker: TestBroker, buildId: string): Promise<string> {
  const made = await broker.call("POST", `/v1/builds/${buildId}/handoff`, { body: {} });
  if (made.status !== 201) throw new Error(`no link: ${made.status} ${made.text}`);
  return new URL((made.body as { url: string }).url).hash.replace("#code=", "");
}

/** Sends a request as a browser does, and keeps the cookies of the answer. */
export async function callIn(
  broker: TestBroker,
  browser: TestBrowser,
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const cookie = [...browser].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await broker.call(method, path, {
    token: null,
    ...(body === undefined ? {} : { body }),
    headers: { "x-keyloan-session": "1", ...(cookie === "" ? {} : { cookie }), ...headers },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "") browser.delete(name);
    else browser.set(name, value);
  }
  return answer;
}

/** Opens a build's settings page with a new link: in a browser that was never there, unless another is given. */
export async function openPage(
  broker: TestBroker,
  buildId: string,
  browser: TestBrowser = new Map(),
): Promise<TestPage> {
  return openPageBy(broker, { code: await createCode(broker, buildId) }, browser);
}

/** Opens a page with what `POST /v1/session` takes. */
export async function openPageBy(
  broker: TestBroker,
  opener: Record<string, string>,
  browser: TestBrowser = new Map(),
): Promise<TestPage> {
  const opened = await callIn(broker, browser, "POST", "/v1/session", { body: opener });
  if (opened.status !== 201) throw new Error(`no session: ${opened.status} ${opened.text}`);
  const session = opened.body as OpenedSession;
  const call: TestPage["call"] = (method, path, body, headers = {}) =>
    callIn(broker, browser, method, path, {
      ...(body === undefined ? {} : { body }),
      headers: { "x-keyloan-build": session.buildId, ...headers },
    });
  const settings = async () => (await call("GET", "/v1/settings")).body as SettingsView;
  const version = async () => (await settings()).version;
  const change: TestPage["change"] = async (method, path, body = {}) =>
    call(method, path, { ...body, expectedVersion: await version() });
  return {
    browser,
    session,
    cookie: browser.get(`keyloan_session_${session.buildId}`) ?? "",
    call,
    settings,
    version,
    change,
    seal: async (values) => {
      await sodium.ready;
      const key = Uint8Array.from(Buffer.from(session.sealingKey, "base64url"));
      const box = sodium.crypto_box_seal(new TextEncoder().encode(JSON.stringify({ values })), key);
      return { sealed: Buffer.from(box).toString("base64url") };
    },
    save: (connector, values) => change("PUT", `/v1/settings/keys/${connector}`, { submission: { values } }),
  };
}

/** The code that the first save shows. */
export function recoveryCodeOf(saved: Answer): string {
  const { recovery } = saved.body as SavedAnswer;
  if (recovery === undefined) throw new Error(`no recovery code: ${saved.status} ${saved.text}`);
  return recovery.code;
}
