import { writeFile } from "node:fs/promises";
import type { OpenedSession, SettingsView, SwapResult } from "@keyloan/contract";
import { must } from "../steps.ts";
import type { Visit } from "./visit.ts";

type Answer = { readonly status: number; readonly text: string };
type Refusal = {
  readonly error?: {
    readonly message?: string;
    readonly remedy?: string;
    readonly details?: { readonly check?: { readonly code?: string } };
  };
};

const timeoutMs = 20_000;

/** A visit that can also have the data moved, which takes a while. */
export type VisitOverHttp = Visit & { readonly moveData: () => Promise<void> };

/** The calls that the settings page makes, with its cookie and its header; keys go in the plain form. */
export function visitOverHttp(brokerUrl: string): VisitOverHttp {
  const cookies = new Map<string, string>();
  let buildId = "";
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(new URL(path, brokerUrl), {
      method,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(buildId === "" ? {} : { "x-keyloan-build": buildId }),
        ...(method === "GET" ? {} : { "x-keyloan-session": "1" }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]?.split("=") ?? [];
      cookies.set(name, value);
    }
    return { status: response.status, text: await response.text() };
  };
  const give = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await call(method, path, body);
    if (answer.status >= 300) throw refusedCall(`${method} ${path}`, answer);
    return parse<T>(answer);
  };
  const settings = () => give<SettingsView>("GET", "/v1/settings");
  const change = async <T>(method: string, path: string, body: object = {}): Promise<T> =>
    give<T>(method, path, { ...body, expectedVersion: (await settings()).version });
  const answerAll = async (answer: boolean) =>
    Object.fromEntries((await settings()).bindings.map(({ connector }) => [connector, answer]));
  const keysPath = (id: string) => `/v1/settings/keys/${id}`;
  return {
    open: async (link) => {
      const code = new URL(link).hash.replace(/^#code=/, "");
      ({ buildId } = await give<OpenedSession>("POST", "/v1/session", { code }));
      must(cookies.size > 0, "no session was given");
    },
    seeRefused: async ({ id, values }, code) => {
      const { version } = await settings();
      const answer = await call("PUT", keysPath(id), { submission: { values }, expectedVersion: version });
      const { error } = parse<Refusal>(answer);
      must(error?.details?.check?.code === code, `it was not refused as ${code}: answered ${answer.status}`);
      must((await settings()).version === version, "something was saved");
      return error?.message ?? "";
    },
    giveKeys: async (keys) => {
      for (const { id, values } of keys) await change("PUT", keysPath(id), { submission: { values } });
      // What nobody types is made by the broker.
      for (const { connector, saved } of (await settings()).bindings) {
        if (saved === undefined) await change("PUT", keysPath(connector), { submission: { values: {} } });
      }
    },
    check: async () => {
      const { gates } = await change<SwapResult>("POST", "/v1/settings/swap", { dryRun: true });
      const failed = gates.filter(({ status }) => status === "fail").map(({ message }) => message);
      must(failed.length === 0, failed.join(" "));
    },
    swap: async () => void (await change("POST", "/v1/settings/swap", { preview: await answerAll(true) })),
    keepFromPreview: async () =>
      void (await change("POST", "/v1/settings/preview", { preview: await answerAll(false) })),
    moveData: async () => void (await change("POST", "/v1/settings/transfer")),
    revert: async () => void (await change("POST", "/v1/settings/revert")),
    downloadTo: async (file) => {
      const answer = await call("GET", "/v1/settings/env-file");
      if (answer.status !== 200) throw refusedCall("the download", answer);
      await writeFile(file, answer.text, { mode: 0o600 });
    },
    finish: async () => void (await change("POST", "/v1/settings/finish")),
  };
}

/** The JSON of an answer, as the type that its route is documented with. */
function parse<T>({ text }: Answer): T {
  return JSON.parse(text) as T;
}

function refusedCall(what: string, answer: Answer): Error {
  const { error } = parse<Refusal>(answer);
  const reason = `${error?.message ?? "no reason given"} ${error?.remedy ?? ""}`.trim();
  return new Error(`${what} answered ${answer.status}: ${reason}`);
}
