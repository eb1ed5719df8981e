import { createServer, type RequestListener } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { Fault, FaultQueue } from "./emulator.ts";

/** The Hono environment of stand-ins: apps run on node:http. */
export type EmulatorEnv = { Bindings: HttpBindings };
export type EmulatorApp = Hono<EmulatorEnv>;

/** The provider's own error body for a status, as text of {@link EmulatorAppOptions.contentType}. */
export type ErrorBody = (status: number) => string;

export type EmulatorAppOptions = {
  readonly faults: FaultQueue;
  readonly errorBody: ErrorBody;
  /** Exact content type of error answers; some SDKs compare it literally. */
  readonly contentType?: string;
};

/**
 * An app that first looks in the fault queue for each request. It refuses a request without a `User-Agent`, like the
 * edge of Cloudflare, which most providers use (Resend API reference, "User-Agent").
 */
export function createEmulatorApp(options: EmulatorAppOptions): EmulatorApp {
  const { faults, errorBody, contentType = "application/json" } = options;
  const answer = (status: number, body = errorBody(status), headers: Readonly<Record<string, string>> = {}) =>
    new Response(body === "" ? null : body, {
      status,
      headers: { ...(body === "" ? {} : { "content-type": contentType }), ...headers },
    });
  const app = new Hono<EmulatorEnv>();
  app.use(async (context, next) => {
    const fault = faults.take(context.req.method, context.req.path);
    return fault === undefined ? next() : applyFault(fault, context, next, answer);
  });
  app.use(async (context, next) =>
    context.req.header("user-agent") === undefined ? context.text("error code: 1010", 403) : next(),
  );
  app.notFound(() => answer(404));
  app.onError(() => answer(500));
  return app;
}

async function applyFault(
  fault: Fault,
  context: Context<EmulatorEnv>,
  next: () => Promise<void>,
  answer: (status: number, body?: string, headers?: Readonly<Record<string, string>>) => Response,
): Promise<Response | undefined> {
  switch (fault.kind) {
    case "delay":
      await delay(fault.ms, undefined, { ref: false });
      await next();
      return undefined;
    case "status":
      return answer(fault.status, fault.body, fault.headers);
    case "cut":
      context.env.outgoing.destroy();
      return RESPONSE_ALREADY_SENT;
    case "cut_after":
      await next();
      context.env.outgoing.destroy();
      return replaceResponse(context, RESPONSE_ALREADY_SENT);
    case "status_after":
      await next();
      return replaceResponse(context, answer(fault.status));
  }
}

function replaceResponse(context: Context<EmulatorEnv>, response: Response): undefined {
  // After `next()`, Hono ignores what a middleware returns, and adds the headers of the old response to the new one.
  context.res = undefined;
  context.res = response;
}

/** Lets a request through if its bearer token is accepted; otherwise answers the provider's refusal. */
export function requireBearer(
  accepts: (key: string) => boolean,
  refuse: (key: string | undefined) => Response,
): MiddlewareHandler<EmulatorEnv> {
  return async (context, next) => {
    const key = /^Bearer (\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
    if (key === undefined || !accepts(key)) return refuse(key);
    return next();
  };
}

/** The function with which a node:http server passes its requests to an app. */
export function emulatorListener(app: { readonly fetch: EmulatorApp["fetch"] }): RequestListener {
  // The stand-in may share a process with tests; their global Request and Response stay as they are.
  return getRequestListener((request, bindings) => app.fetch(request, bindings as HttpBindings), {
    overrideGlobalObjects: false,
  });
}

/**
 * Listens on 127.0.0.1.
 * @throws the system error, such as EADDRINUSE, when the port cannot be used
 */
export async function serveEmulator(
  app: { readonly fetch: EmulatorApp["fetch"] },
  port: number,
): Promise<{ readonly port: number; readonly baseUrl: string; readonly close: () => Promise<void> }> {
  const server = createServer(emulatorListener(app));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the stand-in has no port");
  return {
    port: address.port,
    baseUrl: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
