import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { buffer } from "node:stream/consumers";

export type TestServer = { readonly url: string; readonly close: () => void };

/** Serves one handler on a free port of 127.0.0.1. */
export async function serve(handler: RequestListener): Promise<TestServer> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Always gives the same answer. */
export function serveAnswer(status: number, contentType: string, body: string): Promise<TestServer> {
  return serve((_request, response) => {
    response.writeHead(status, { "content-type": contentType }).end(body);
  });
}

export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
};

/** Keeps objects in memory under the exact path of the request; `refuse` makes it answer 403 to all. */
export async function serveObjects() {
  const objects = new Map<string, Buffer>();
  const requests: SeenRequest[] = [];
  const state = { refuse: false };
  const server = await serve(async (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const method = request.method ?? "";
    requests.push({ method, path, headers: request.headers });
    const sent = await buffer(request);
    if (state.refuse)
      return response.writeHead(403, { "content-type": "application/xml" }).end(errorXml("AccessDenied"));
    if (method === "PUT") {
      objects.set(path, sent);
      return response.writeHead(200, { etag: '"1"' }).end();
    }
    if (method === "DELETE") {
      objects.delete(path);
      return response.writeHead(204).end();
    }
    const stored = objects.get(path);
    if (stored === undefined) {
      return response.writeHead(404, { "content-type": "application/xml" }).end(errorXml("NoSuchKey"));
    }
    return response
      .writeHead(200, { "content-length": stored.length })
      .end(method === "HEAD" ? undefined : stored);
  });
  return { ...server, objects, requests, state };
}

function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}
