import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsHttpServer } from "node:https";
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type LookupFunction,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createCertificate } from "../testing/create-certificate.ts";
import { BlockedAddressError } from "./blocked-address-error.ts";
import type { Resolve } from "./guard-address.ts";
import { createGuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";
import type { Connect } from "./pinned-request.ts";

const publicIp = "93.184.216.34";
const opened: (Server | TcpServer)[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(opened.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen<T extends Server | TcpServer>(server: T): Promise<number> {
  opened.push(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A server of the operator's own choice: its origin is allowed, so the address rules do not stand in the way. */
async function serve(listener: RequestListener, options: GuardedFetchOptions = {}) {
  const origin = `http://127.0.0.1:${await listen(createServer(listener))}`;
  return { origin, fetch: createGuardedFetch({ allowedOrigins: [origin], ...options }) };
}

/** A network in which every address that was looked up leads to one local port; it records what was looked up. */
function fakeNetwork(port: number): { connect: Connect; seen: string[] } {
  const seen: string[] = [];
  const connect: Connect = ({ host, lookup }) => {
    const pinned = lookup as LookupFunction;
    pinned(host ?? "", { all: true }, (_error, addresses) => {
      seen.push(...(Array.isArray(addresses) ? addresses.map(({ address }) => address) : [addresses]));
    });
    return connectTcp({ host: "127.0.0.1", port });
  };
  return { connect, seen };
}

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "resolved",
    (error: unknown) => error,
  );

describe("an exchange", () => {
  it("sends method, path, headers and body, and gives the answer as fetch does", async () => {
    const { origin, fetch } = await serve((request, response) => {
      let body = "";
      request.on("data", (part) => {
        body += part;
      });
      request.on("end", () => {
        response.writeHead(201, "Made", { "x-answer": "yes", "set-cookie": ["a=1", "b=2"] });
        response.end(
          JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
        );
      });
    });
    const response = await fetch(`${origin}/a/b?c=d`, {
      method: "POST",
      headers: { authorization: "Bearer key", host: "elsewhere.test", "transfer-encoding": "chunked" },
      body: "é",
    });
    expect(response).toMatchObject({ status: 201, statusText: "Made", ok: true, url: `${origin}/a/b?c=d` });
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    const seen: { headers?: unknown } = JSON.parse(await response.text());
    expect(seen).toMatchObject({ method: "POST", url: "/a/b?c=d", body: "é" });
    expect(seen.headers).toMatchObject({
      authorization: "Bearer key",
      host: new URL(origin).host,
      "content-length": "2",
      "content-type": "text/plain;charset=UTF-8",
      "accept-encoding": "identity",
    });
    expect(seen.headers).not.toHaveProperty("transfer-encoding");
  });

  it.each([
    ["a Request", (origin: string) => [new Request(`${origin}/x`, { method: "PUT", body: "abc" })] as const],
    [
      "a URL",
      (origin: string) =>
        [new URL(`${origin}/x`), { method: "PUT", body: new TextEncoder().encode("abc") }] as const,
    ],
    [
      "a stream",
      (origin: string) =>
        [`${origin}/x`, { method: "PUT", body: new Blob(["abc"]).stream(), duplex: "half" }] as const,
    ],
  ])("takes %s", async (_what, args) => {
    const { origin, fetch } = await serve((request, response) => request.pipe(response));
    const [input, init] = args(origin);
    expect(await (await fetch(input, init as RequestInit)).text()).toBe("abc");
  });

  it.each([[204], [205], [304]])("gives a %i without a body", async (status) => {
    const { origin, fetch } = await serve((_request, response) => response.writeHead(status).end());
    expect(await fetch(origin)).toMatchObject({ status, body: null });
  });

  it("gives the head of an answer to HEAD", async () => {
    const { origin, fetch } = await serve((_request, response) =>
      response.writeHead(200, { "content-length": "5", etag: "x" }).end(),
    );
    const response = await fetch(origin, { method: "HEAD" });
    expect([response.headers.get("etag"), await response.text()]).toEqual(["x", ""]);
  });
});

describe("a name", () => {
  it("that changes its answer leads where it led when it was checked", async () => {
    const port = await listen(createServer((request, response) => response.end(request.headers.host)));
    const network = fakeNetwork(port);
    let asked = 0;
    const changing: Resolve = async () => [{ address: asked++ === 0 ? publicIp : "127.0.0.1", family: 4 }];
    const tls = createGuardedFetch({ resolve: changing, connect: network.connect });
    // The name and the connection are what is looked at; the local port speaks no TLS.
    await outcome(tls("https://rebinding.example.com/"));
    expect(network.seen).toEqual([publicIp]);
    expect(asked).toBe(1);
    expect(await outcome(tls("https://rebinding.example.com/"))).toBeInstanceOf(BlockedAddressError);
    expect(network.seen).toEqual([publicIp]);
  });

  it("goes to the server as Host", async () => {
    const port = await listen(createServer((request, response) => response.end(request.headers.host)));
    const origin = `http://db.example.com:${port}`;
    const fetch = createGuardedFetch({
      allowedOrigins: [origin],
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    });
    expect(await (await fetch(origin)).text()).toBe(`db.example.com:${port}`);
  });

  it("goes to the server as TLS server name, and a server without its certificate gets no request", async () => {
    const names: string[] = [];
    const server = createTlsServer({
      SNICallback: (name, done) => {
        names.push(name);
        done(new Error("no certificate"));
      },
    });
    server.on("tlsClientError", () => {});
    const { connect } = fakeNetwork(await listen(server));
    const fetch = createGuardedFetch({ connect, resolve: async () => [{ address: publicIp, family: 4 }] });
    expect(await outcome(fetch("https://db.example.com."))).toBeInstanceOf(TypeError);
    expect(names).toEqual(["db.example.com"]);
  });

  it.each([
    ["http://127.0.0.1:1/", "unencrypted"],
    ["https://10.0.0.1/", "private"],
    ["https://user:password@example.com/", "credentials"],
    ["file:///etc/passwd", "scheme"],
  ])("such as %s opens no connection", async (address, rule) => {
    const { connect, seen } = fakeNetwork(1);
    const error = await outcome(createGuardedFetch({ connect })(address));
    expect(error).toMatchObject({ rule, code: "network", provider: "address" });
    expect(seen).toEqual([]);
  });

  it("that nobody knows is a failed fetch, and the error holds no address", async () => {
    const resolve: Resolve = () =>
      Promise.reject(
        Object.assign(new Error("getaddrinfo ENOTFOUND 10.0.0.1"), {
          code: "ENOTFOUND",
          address: "10.0.0.1",
        }),
      );
    const error = await outcome(createGuardedFetch({ resolve })("https://db.example.com"));
    expect(error).toMatchObject({
      name: "TypeError",
      cause: { code: "ENOTFOUND", message: "the connection failed" },
    });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("10.0.0.1");
  });
});

describe("an encrypted connection", () => {
  const known = createCertificate("db.example.com");
  const publicName: Resolve = async () => [{ address: publicIp, family: 4 }];
  const trustedBefore = getCACertificates("default");
  beforeAll(() => setDefaultCACertificates([...trustedBefore, known.cert]));
  afterAll(() => setDefaultCACertificates(trustedBefore));

  async function serveTls(certificate: { cert: string; key: string }) {
    const asked: string[] = [];
    const server = createTlsHttpServer(certificate, (request, response) => {
      asked.push(request.url ?? "");
      response.end(request.headers.host);
    });
    server.on("tlsClientError", () => {});
    const { connect } = fakeNetwork(await listen(server));
    return { asked, fetch: createGuardedFetch({ connect, resolve: publicName }) };
  }

  it("to the server that has the name's certificate carries the request", async () => {
    const { fetch, asked } = await serveTls(known);
    expect(await (await fetch("https://db.example.com/v2")).text()).toBe("db.example.com");
    expect(asked).toEqual(["/v2"]);
  });

  it.each([
    ["another name's certificate", "https://other.example.com/", known, "ERR_TLS_CERT_ALTNAME_INVALID"],
    [
      "a certificate nobody signed",
      "https://db.example.com/",
      createCertificate("db.example.com"),
      "DEPTH_ZERO_SELF_SIGNED_CERT",
    ],
    [
      "a certificate for names, asked by address",
      `https://${publicIp}/`,
      known,
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
  ])("to a server with %s sends nothing", async (_what, address, certificate, code) => {
    const { fetch, asked } = await serveTls(certificate);
    expect(await outcome(fetch(address))).toMatchObject({ name: "TypeError", cause: { code } });
    expect(asked).toEqual([]);
  });
});

describe("development", () => {
  it("reaches this machine by name, as the system resolves it", async () => {
    const port = await listen(createServer((_request, response) => response.end("here")));
    const fetch = createGuardedFetch({ allowPrivate: true });
    expect(await (await fetch(`http://localhost:${port}`)).text()).toBe("here");
  });
});

describe("a redirect", () => {
  const redirectTo =
    (location: string, status = 302): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { location }).end();

  it.each([
    ["http://127.0.0.1:1/", "unencrypted"],
    ["https://169.254.169.254/latest/meta-data/", "metadata"],
    ["https://[::ffff:7f00:1]/", "embedded"],
    ["//10.0.0.1/", "unencrypted"],
    ["file:///etc/passwd", "scheme"],
    ["https://a:b@example.com/", "credentials"],
  ])("to %s is refused", async (location, rule) => {
    const { origin, fetch } = await serve(redirectTo(location));
    expect(await outcome(fetch(origin))).toMatchObject({ rule });
  });

  it("to a name that resolves to an inner address is refused", async () => {
    const resolve: Resolve = async () => [{ address: "192.168.0.1", family: 4 }];
    const { origin, fetch } = await serve(redirectTo("https://inner.example.com/"), { resolve });
    expect(await outcome(fetch(origin))).toMatchObject({ rule: "private" });
  });

  it("is followed three times and no more", async () => {
    const { origin, fetch } = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("there");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    const response = await fetch(`${origin}/3`);
    expect([await response.text(), response.redirected, response.url]).toEqual([
      "there",
      true,
      `${origin}/0`,
    ]);
    expect(await outcome(fetch(`${origin}/4`))).toMatchObject({
      cause: { message: "the server redirects too often" },
    });
  });

  it("is given back or refused when asked so", async () => {
    const { origin, fetch } = await serve(redirectTo("https://10.0.0.1/"));
    expect(await fetch(origin, { redirect: "manual" })).toMatchObject({ status: 302 });
    expect(await outcome(fetch(origin, { redirect: "error" }))).toBeInstanceOf(TypeError);
  });

  it.each([
    [303, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [301, "POST", "GET", ""],
    [307, "POST", "POST", "body"],
    [308, "PUT", "PUT", "body"],
    [302, "PUT", "PUT", "body"],
  ])("by %i turns %s into %s as fetch does", async (status, method, expected, body) => {
    const { origin, fetch } = await serve((request, response) => {
      if (request.url === "/from") response.writeHead(status, { location: "/to" }).end();
      else {
        response.setHeader("x-method", request.method ?? "");
        request.pipe(response);
      }
    });
    const response = await fetch(`${origin}/from`, { method, body: "body" });
    expect([response.headers.get("x-method"), await response.text()]).toEqual([expected, body]);
  });

  it("tells another origin no key and no body", async () => {
    const other = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    const from = await serve(redirectTo(`${other.origin}/`, 307));
    const fetch = createGuardedFetch({ allowedOrigins: [other.origin, from.origin] });
    const headers = { authorization: "Bearer key", "x-api-key": "key", cookie: "key", accept: "text/plain" };
    const seen = await (await fetch(from.origin, { headers })).text();
    expect(seen).toContain("text/plain");
    expect(seen).not.toContain("key");
    expect(await outcome(fetch(from.origin, { method: "POST", body: "key" }))).toMatchObject({
      cause: { message: "the server redirects a request with a body" },
    });
  });
});

describe("a hostile server", () => {
  it("that never answers is left after the time", async () => {
    const { origin, fetch } = await serve(() => {}, { timeoutMs: 50 });
    expect(await outcome(fetch(origin))).toMatchObject({ name: "TimeoutError" });
  });

  it("that sends a body drop by drop is left after the time", async () => {
    const { origin, fetch } = await serve(
      (_request, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write("."), 5);
        response.on("close", () => clearInterval(timer));
      },
      { timeoutMs: 80 },
    );
    expect(await outcome(fetch(origin))).toMatchObject({ name: "TimeoutError" });
  });

  it("that sends heads of 1xx for ever is left after the time", async () => {
    const port = await listen(
      createTcpServer((socket) => {
        const timer = setInterval(() => socket.write("HTTP/1.1 102 Processing\r\n\r\n"), 5);
        socket.on("close", () => clearInterval(timer));
      }),
    );
    const origin = `http://127.0.0.1:${port}`;
    const fetch = createGuardedFetch({ allowedOrigins: [origin], timeoutMs: 80 });
    expect(await outcome(fetch(origin))).toMatchObject({ name: "TimeoutError" });
  });

  it("whose name is never resolved is left after the time", async () => {
    const fetch = createGuardedFetch({ resolve: () => new Promise(() => {}), timeoutMs: 50 });
    expect(await outcome(fetch("https://slow.example.com"))).toMatchObject({ name: "TimeoutError" });
  });

  it.each([
    ["told", { "content-length": String(1 << 20) }],
    ["untold", {}],
  ])("is left when its body of %s length is too large", async (_what, headers) => {
    let closed: () => void = () => {};
    const left = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { origin, fetch } = await serve(
      (_request, response) => {
        response.on("close", closed);
        response.writeHead(200, headers);
        response.write(Buffer.alloc(64 * 1024));
      },
      { responseBytesMax: 1000 },
    );
    expect(await outcome(fetch(origin))).toMatchObject({ cause: { message: "the answer is too large" } });
    await left;
  });

  it("that packs its answer is not unpacked", async () => {
    const { origin, fetch } = await serve((_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
    );
    expect(await outcome(fetch(origin))).toMatchObject({ cause: { name: "AnswerError" } });
  });

  it("that is asked how something packed is stored may tell", async () => {
    const { origin, fetch } = await serve((_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip", "content-length": "7" }).end(),
    );
    const answer = await fetch(origin, { method: "HEAD" });
    expect([...answer.headers]).toEqual(
      expect.arrayContaining([
        ["content-encoding", "gzip"],
        ["content-length", "7"],
      ]),
    );
  });

  it.each([
    ["garbage", "\u0000\u0001canary\r\n\r\n"],
    ["another protocol", "220 canary ESMTP\r\n"],
    ["nothing", ""],
    ["half a head", "HTTP/1.1 200 OK\r\ncanary: "],
    ["half a body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncanary"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\ncanary"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\ncanary",
    ],
    ["an endless head", `HTTP/1.1 200 OK\r\n${"canary: x\r\n".repeat(5000)}`],
    ["a status that is none", "HTTP/1.1 999 canary\r\ncontent-length: 0\r\n\r\n"],
    ["a switch of protocols", "HTTP/1.1 101 canary\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"],
  ])("that answers %s is a failed fetch, and the error tells nothing of it", async (_what, answer) => {
    const port = await listen(createTcpServer((socket) => socket.once("data", () => socket.end(answer))));
    const origin = `http://127.0.0.1:${port}`;
    const error = await outcome(createGuardedFetch({ allowedOrigins: [origin], timeoutMs: 5000 })(origin));
    expect(error).toBeInstanceOf(TypeError);
    const { cause } = error as TypeError;
    expect(JSON.stringify([error, cause], Object.getOwnPropertyNames(cause))).not.toContain("canary");
  });

  it.each(["http", "https"])("that refuses the connection is a failed fetch over %s", async (scheme) => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    opened.pop();
    const origin = `${scheme}://127.0.0.1:${port}`;
    const error = await outcome(createGuardedFetch({ allowedOrigins: [origin] })(origin));
    expect(error).toMatchObject({ name: "TypeError", cause: { code: "ECONNREFUSED" } });
  });
});

describe("a caller", () => {
  it("that gives up gets its own reason", async () => {
    const stop = new AbortController();
    const { origin, fetch } = await serve(() => stop.abort(new Error("enough")));
    expect(await outcome(fetch(origin, { signal: stop.signal }))).toMatchObject({ message: "enough" });
    const request = new Request(origin, { signal: stop.signal });
    expect(await outcome(fetch(request))).toMatchObject({ message: "enough" });
  });
});
