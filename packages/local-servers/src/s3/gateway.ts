import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type HandlerOptions, handleRequest } from "./handle-request.ts";
import type { S3Answer, S3Limits } from "./operations/context.ts";
import type { ResolveCredential } from "./policy.ts";
import { parseRequest } from "./request.ts";
import { S3Error } from "./s3-error.ts";
import { sendAnswer } from "./send-answer.ts";
import { openStore } from "./store/open-store.ts";
import { writeErrorXml } from "./xml.ts";

/** How a test or a stand-in answers a request, instead of the gateway or after the gateway has handled it. */
export type S3Interception = {
  readonly when: "before" | "after";
  /** Sent in place of the gateway's own answer; `cut` closes the connection without one. */
  readonly answer: S3Answer | "cut";
};

export type S3GatewayOptions = {
  /** Created if it does not exist, mode 0700. Only one process may use it at a time. */
  readonly dataDirectory: string;
  /** 0 picks a free one. Always on 127.0.0.1. */
  readonly port: number;
  /** All buckets; they cannot be created over HTTP. */
  readonly buckets: readonly string[];
  readonly resolveCredential: ResolveCredential;
  /** Bytes; R2's own limits by default. */
  readonly limits?: Partial<S3Limits>;
  readonly nowMs?: () => number;
  /** Called before each request is read. */
  readonly intercept?: (
    method: string,
    path: string,
  ) => Promise<S3Interception | undefined> | S3Interception | undefined;
  /** Serves paths that are not S3 on the same port, such as a management API; the gateway never sees them. */
  readonly other?: { readonly matches: (path: string) => boolean; readonly serve: RequestListener };
  /** Called with failures of the gateway itself, which clients see as 500 or as a closed connection. */
  readonly onError?: (error: unknown) => void;
};

export type S3Gateway = {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
};

const limitsOfR2: S3Limits = { uploadBytesMax: 5 * 1024 ** 3, partBytesMin: 5 * 1024 ** 2, entriesMax: 1000 };
const keepAliveMs = 65_000;
const uploadMsMax = 3_600_000;
const headerBytesMax = 64 * 1024;

/**
 * Starts an S3 server on 127.0.0.1 with its objects in a folder. It verifies every signature and limits
 * every request to the policy of its credential. For development and tests.
 * @throws Error if the port is taken, the folder cannot be written, or a bucket name is not valid
 */
export async function startS3Gateway(options: S3GatewayOptions): Promise<S3Gateway> {
  const handler: HandlerOptions = {
    buckets: await openStore(options.dataDirectory, options.buckets),
    resolveCredential: options.resolveCredential,
    limits: { ...limitsOfR2, ...options.limits },
    nowMs: options.nowMs ?? Date.now,
  };
  const server = createServer({
    keepAliveTimeout: keepAliveMs,
    requestTimeout: uploadMsMax,
    maxHeaderSize: headerBytesMax,
  });
  const serve = (message: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => {
    if (options.other?.matches(pathOf(message)) !== true) {
      void serveOne(options, handler, message, response, awaitsContinue);
      return;
    }
    if (awaitsContinue) response.writeContinue();
    options.other.serve(message, response);
  };
  server.on("request", (message, response) => serve(message, response, false));
  // A client that waits for "100 Continue" gets a refusal before it sends its body.
  server.on("checkContinue", (message, response) => serve(message, response, true));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the gateway has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serveOne(
  options: S3GatewayOptions,
  handler: HandlerOptions,
  message: IncomingMessage,
  response: ServerResponse,
  awaitsContinue: boolean,
): Promise<void> {
  const requestId = randomBytes(8).toString("hex").toUpperCase();
  const path = pathOf(message);
  const source = () => {
    if (awaitsContinue) response.writeContinue();
    return message.iterator({ destroyOnReturn: false });
  };
  try {
    const interception = await options.intercept?.(message.method ?? "GET", path);
    let answer = interception?.when === "before" ? interception.answer : undefined;
    answer ??= await answerOf(options, handler, message, source, { path, requestId });
    if (interception?.when === "after") {
      if (isFilePart(answer)) await answer.body.handle.close();
      answer = interception.answer;
    }
    if (answer === "cut") message.socket.destroy();
    else await sendAnswer(message, response, answer, requestId);
  } catch (error) {
    options.onError?.(error);
    message.socket.destroy();
  } finally {
    // Discards the rest of a body that was not needed, so that the connection can serve the next request.
    message.resume();
  }
}

async function answerOf(
  options: S3GatewayOptions,
  handler: HandlerOptions,
  message: IncomingMessage,
  source: () => AsyncIterable<Buffer>,
  about: { readonly path: string; readonly requestId: string },
): Promise<S3Answer | "cut"> {
  try {
    return await handleRequest(handler, parseRequest(message), source);
  } catch (error) {
    if (message.destroyed && !message.complete) return "cut";
    if (!(error instanceof S3Error)) options.onError?.(error);
    const shown =
      error instanceof S3Error ? error : new S3Error("InternalError", "We encountered an internal error.");
    return {
      status: shown.status,
      headers: { "content-type": "application/xml", ...shown.headers },
      body: writeErrorXml(shown.code, shown.message, about.path, about.requestId),
    };
  }
}

const pathOf = (message: IncomingMessage) => (message.url ?? "/").split("?", 1)[0] ?? "/";

function isFilePart(
  answer: S3Answer | "cut",
): answer is S3Answer & { body: { handle: { close(): Promise<void> } } } {
  return answer !== "cut" && typeof answer.body === "object" && "handle" in answer.body;
}
