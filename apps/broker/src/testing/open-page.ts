import type { KeySubmission, Session, SettingsView } from "@keyloan/contract";
import sodium from "libsodium-wrappers";
import type { Answer, TestBroker } from "./create-test-broker.ts";

/** What the settings page does over HTTP, without a browser. */
export type TestPage = {
  readonly cookie: string;
  readonly session: Session;
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
};

/** A new link's code. */
export async function createCode(broker: TestBroker, buildId: string): Promise<string> {
  const made = await broker.call("POST", `/v1/builds/${buildId}/handoff`, { body: {} });
  if (made.status !== 201) throw new Error(`no link: ${made.status} ${made.text}`);
  return new URL((made.body as { url: string }).url).hash.replace("#code=", "");
}

/** Opens a build's settings page with a new link. */
export async function openPage(broker: TestBroker, buildId: string): Promise<TestPage> {
  const headers = { "x-keyloan-session": "1" };
  const code = await createCode(broker, buildId);
  const opened = await broker.call("POST", "/v1/session", { token: null, body: { code }, headers });
  if (opened.status !== 201) throw new Error(`no session: ${opened.status} ${opened.text}`);
  const cookie = opened.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const session = opened.body as Session;
  const call: TestPage["call"] = (method, path, body, more = {}) =>
    broker.call(method, path, { token: null, body, headers: { ...headers, cookie, ...more } });
  const settings = async () => (await call("GET", "/v1/settings")).body as SettingsView;
  const version = async () => (await settings()).version;
  return {
    cookie,
    session,
    call,
    settings,
    version,
    seal: async (values) => {
      await sodium.ready;
      const key = Uint8Array.from(Buffer.from(session.sealingKey, "base64url"));
      const box = sodium.crypto_box_seal(new TextEncoder().encode(JSON.stringify({ values })), key);
      return { sealed: Buffer.from(box).toString("base64url") };
    },
    save: async (connector, values) =>
      call("PUT", `/v1/settings/keys/${connector}`, {
        submission: { values },
        expectedVersion: await version(),
      }),
  };
}
