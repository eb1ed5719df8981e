import { Agent, request } from "node:http";

export type HttpAnswer = { readonly status: number; readonly text: string };

export type AdminHttp = {
  readonly send: (method: "GET" | "POST" | "DELETE", path: string, body?: unknown) => Promise<HttpAnswer>;
  readonly close: () => void;
};

const answerBytesMax = 1024 * 1024;

/**
 * Sends calls to a port of 127.0.0.1 over reused connections, each with a time limit and a size limit.
 * @param whenRunning resolves to the server as soon as it answers; to undefined if it will not
 */
export function createAdminHttp(
  whenRunning: () => Promise<{ readonly adminPort: number; readonly adminKey: string } | undefined>,
  timeoutMs = 15_000,
): AdminHttp {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return {
    close: () => agent.destroy(),
    send: async (method, path, body) => {
      const server = await whenRunning();
      if (server === undefined) throw new Error("The libSQL server has ended.");
      return new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const call = request({
          agent,
          host: "127.0.0.1",
          port: server.adminPort,
          method,
          path,
          headers: {
            // The libSQL server compares the key as it is: it is not base64 of a user and a password.
            authorization: `basic ${server.adminKey}`,
            ...(text === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          },
        });
        // A timer that can be cleared: an AbortSignal's timer would still fire, and build its error, for every call.
        const timer = setTimeout(() => call.destroy(new Error("The admin API does not answer.")), timeoutMs);
        call.once("close", () => clearTimeout(timer));
        call.once("error", reject);
        call.once("response", (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > answerBytesMax) call.destroy(new Error("The admin answer is too large."));
            else chunks.push(chunk);
          });
          response.once("error", reject);
          response.once("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
          );
        });
        call.end(text);
      });
    },
  };
}
