import { setTimeout as delay } from "node:timers/promises";

export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
  readonly headers: Headers;
};

export type Call = {
  readonly token?: string;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Send = (method: string, path: string, call?: Call) => Promise<Answer>;

const answerBytesMax = 1_000_000;

/** Calls of one broker. An answer is read to a limit: the broker under attack may be anybody's. */
export function senderTo(url: string): Send {
  return async (method, path, { token, body, raw, headers = {} } = {}) => {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(url + path, {
      method,
      redirect: "manual",
      signal: AbortSignal.timeout(30_000),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(content === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
    });
    const text = (await response.text()).slice(0, answerBytesMax);
    return { status: response.status, text, json: recordOf(text), headers: response.headers };
  };
}

const patienceSecondsMax = 5;
const triesMax = 4;

/** Waits when it is told to: a refusal because it did not wait would show nothing of the defence behind it. */
export function patient(send: Send): Send {
  return async (...call) => {
    for (let tries = 1; ; tries++) {
      const answer = await send(...call);
      const waitSeconds = Number(answer.headers.get("retry-after") ?? "0");
      if (answer.status !== 429 || waitSeconds > patienceSecondsMax || tries === triesMax) return answer;
      await delay(waitSeconds * 1000);
    }
  };
}

/** A browser: it keeps cookies, and names the build that it looks at. */
export type Browser = {
  readonly send: Send;
  readonly cookies: ReadonlyMap<string, string>;
  readonly look: (buildId: string) => void;
  /** What another browser would send that has stolen nothing but this cookie. */
  readonly cookieHeader: (matching?: string) => string;
};

export function newBrowser(send: Send): Browser {
  const cookies = new Map<string, string>();
  let build: string | undefined;
  const cookieHeader = (matching = "") =>
    [...cookies]
      .filter(([name]) => name.includes(matching))
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
  return {
    cookies,
    cookieHeader,
    look: (buildId) => {
      build = buildId;
    },
    send: async (method, path, call = {}) => {
      const answer = await send(method, path, {
        ...call,
        headers: {
          ...(cookies.size === 0 ? {} : { cookie: cookieHeader() }),
          ...(method === "GET" ? {} : { "x-keyloan-session": "1" }),
          ...(build === undefined ? {} : { "x-keyloan-build": build }),
          ...call.headers,
        },
      });
      for (const line of answer.headers.getSetCookie()) keep(cookies, line);
      return answer;
    },
  };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = "", ...attributes] = line.split(";");
  const [name = "", value = ""] = pair.split("=", 2).map((part) => part.trim());
  if (value === "" || attributes.some((text) => /max-age=0$/i.test(text.trim()))) cookies.delete(name);
  else cookies.set(name, value);
}

function recordOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    // Holds for every JSON object, which is all that its members are read from.
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The code of a refusal, or its status. */
export function codeOf({ status, json }: Answer): string {
  const { error } = json;
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : String(status);
}
