import { AnswerError, type PinnedAnswer } from "./pinned-request.ts";

export type OutgoingRequest = {
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
};

/**
 * What to send next when an answer is a redirect, as fetch would (Fetch Standard, "HTTP-redirect fetch");
 * `undefined` for every other answer. Nothing that may contain a key is sent to another origin.
 * @throws AnswerError if it redirects to an invalid address, or a body would be sent to another origin
 */
export function followRedirect(
  from: URL,
  request: OutgoingRequest,
  answer: PinnedAnswer,
): { readonly url: URL; readonly request: OutgoingRequest } | undefined {
  const location = answer.headers.get("location");
  if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return undefined;
  const url = URL.parse(location, from.href);
  if (url === null) throw new AnswerError("the server redirects to an invalid address");
  const next = becomesGet(request.method, answer.status) ? asGet(request) : request;
  if (url.origin === from.origin) return { url, request: next };
  if (next.body !== undefined) throw new AnswerError("the server redirects a request with a body");
  return { url, request: { ...next, headers: onlyHeaders(next.headers, ["accept", "user-agent"]) } };
}

function becomesGet(method: string, status: number): boolean {
  return status === 303 ? method !== "GET" && method !== "HEAD" : status < 303 && method === "POST";
}

function asGet({ headers }: OutgoingRequest): OutgoingRequest {
  const kept = new Headers(headers);
  for (const name of [...kept.keys()]) if (name.startsWith("content-")) kept.delete(name);
  return { method: "GET", headers: kept, body: undefined };
}

function onlyHeaders(headers: Headers, names: readonly string[]): Headers {
  return new Headers([...headers].filter(([name]) => names.includes(name)));
}
