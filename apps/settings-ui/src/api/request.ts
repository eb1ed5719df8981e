import {
  addressOf,
  type CallAnswer,
  type CallInput,
  type CallParts,
  type KnownRoute,
} from "@keyloan/contract";

/** Why a call did not give what was asked, in words a person can be shown. */
export type Failure = {
  /** The broker's error code, or one of this file's: `offline`, `unreachable`, `too_slow`, `unexpected`. */
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId?: string;
  readonly retryAfterSeconds?: number;
};

/** Thrown by every call that fails; a call that the person cancelled throws an `AbortError` instead. */
export class RequestError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

type CallOptions = {
  readonly signal?: AbortSignal;
  /** One after the other, in all tabs: each answer may bring the browser a new cookie in place of the one before. */
  readonly inTurn?: true;
};

/** Longer than the broker gives a slow provider, so that the broker's own answer comes first. */
const timeoutMs = 60_000;

let namedBuild: string | undefined;

/** Names the build that calls are about from now on: a browser may have visits of several open. */
export function nameBuild(id: string | undefined): void {
  namedBuild = id;
}

/** One call to the broker this page came from. @throws RequestError, or the `AbortError` of `signal` */
export function send<R extends KnownRoute>(
  route: R,
  input: CallInput<R>,
  options: CallOptions = {},
): Promise<Response> {
  const work = () => sendNow(route, input, options);
  // Only pages that came over https, or from this machine, can take turns.
  return options.inTurn === true && "locks" in navigator
    ? navigator.locks.request("keyloan-browser", work)
    : work();
}

async function sendNow<R extends KnownRoute>(
  route: R,
  input: CallInput<R>,
  options: CallOptions,
): Promise<Response> {
  const { body }: CallParts = input;
  const { method, path } = addressOf(route, input);
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal,
      cache: "no-store",
      credentials: "same-origin",
      headers: {
        // Another site cannot send this header without being allowed to, which it never is.
        ...(method === "GET" ? {} : { "x-keyloan-session": "1" }),
        ...(namedBuild === undefined ? {} : { "x-keyloan-build": namedBuild }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new RequestError(timeout.aborted ? tooSlow : navigator.onLine ? unreachable : offline);
  }
  readClock(response);
  if (response.ok) return response;
  throw new RequestError(await readFailure(response));
}

let clockOffsetMs = 0;

/** The broker's time in milliseconds: deadlines are its, and a computer's own clock may be wrong. */
export function brokerNow(): number {
  return Date.now() + clockOffsetMs;
}

/** Takes over the broker's clock when it is too far away to be the way the answer took. */
function readClock(response: Response): void {
  const offset = Date.parse(response.headers.get("date") ?? "") - Date.now();
  if (Number.isFinite(offset)) clockOffsetMs = Math.abs(offset) > 60_000 ? offset : 0;
}

/** The JSON that a call answers with. @throws RequestError, or the `AbortError` of `signal` */
export async function call<R extends KnownRoute>(
  route: R,
  input: CallInput<R>,
  options?: CallOptions,
): Promise<CallAnswer<R>> {
  const response = await send(route, input, options);
  try {
    return (await response.json()) as CallAnswer<R>;
  } catch (error) {
    if (options?.signal?.aborted === true) throw error;
    throw new RequestError(unexpected);
  }
}

/** What to show for anything that was thrown. */
export function failureOf(error: unknown): Failure {
  return error instanceof RequestError ? error.failure : unexpected;
}

export function isCancelled(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

async function readFailure(response: Response): Promise<Failure> {
  const envelope: unknown = await response.json().catch(() => undefined);
  if (!isRecord(envelope) || !isRecord(envelope.error)) return unexpected;
  const { code, message, remedy, details, requestId } = envelope.error;
  if (typeof code !== "string" || typeof message !== "string") return unexpected;
  const retryAfterSeconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return {
    code,
    message,
    ...(typeof remedy === "string" ? { remedy } : {}),
    ...(isRecord(details) ? { details } : {}),
    ...(typeof requestId === "string" ? { requestId } : {}),
    ...(Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {}),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const offline: Failure = {
  code: "offline",
  message: "You are offline, so nothing was sent.",
  remedy: "Connect to the internet and try again. What you typed is still here.",
};
const unreachable: Failure = {
  code: "unreachable",
  message: "We could not reach Keyloan.",
  remedy: "Wait a moment and try again. What you typed is still here.",
};
const tooSlow: Failure = {
  code: "too_slow",
  message: "The answer took longer than a minute.",
  remedy: "Try again. If it stays slow, the service you are connecting may have a problem.",
};
const unexpected: Failure = {
  code: "unexpected",
  message: "Something went wrong on our side.",
  remedy: "Try again. If it happens again, tell the people who sent you the link.",
};
