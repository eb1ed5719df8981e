import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { createClient as createWebSocketClient } from "@libsql/client/ws";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createLibsqlGateway, gatewayPorts, type LibsqlGateway } from "./gateway.ts";
import { type GatewayLimits, gatewayLimits } from "./gateway-limits.ts";
import { sendRaw, statusesIn } from "./testing/raw-http.ts";
import { startTestServer, type TestDatabase, type TestServer } from "./testing/test-server.ts";
import { writeWebSocketFrame } from "./websocket-frames.ts";

const authorization = "Bearer a.b.c";
const wrongToken = "x.y.z";
const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 10_000, interval: 10 });
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function openGateway(upstreamPort: number, limits: Partial<GatewayLimits>): LibsqlGateway {
  const isSigned = (_namespace: string, token: string) => token !== wrongToken;
  const gateway = createLibsqlGateway(() => upstreamPort, gatewayPorts.first, isSigned, {
    ...gatewayLimits,
    ...limits,
  });
  closers.push(gateway.close);
  return gateway;
}

/** A server that answers when it is told to. */
async function startUpstream() {
  const waiting: { readonly namespace: string; readonly answer: ServerResponse }[] = [];
  const server = createServer((request, answer) => {
    request.resume();
    request.once("end", () => waiting.push({ namespace: request.headers.host ?? "", answer }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close().closeAllConnections());
  const address = server.address();
  return { waiting, port: typeof address === "object" ? (address?.port ?? 0) : 0 };
}

const post = (port: number, body = "{}", signal?: AbortSignal) =>
  fetch(`http://127.0.0.1:${port}/v2/pipeline`, {
    method: "POST",
    headers: { authorization },
    body,
    ...(signal && { signal }),
  });

/** Sends all of a request but the end of its body, and waits until it was taken in. */
async function sendHalf(port: number, bytes: number, headers = `Authorization: ${authorization}\r\n`) {
  const socket = connect(port, "127.0.0.1");
  closers.push(() => socket.destroy());
  let answer = "";
  socket
    .on("error", () => {})
    .on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
  socket.write(`POST /v2/pipeline HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: 100000000\r\n\r\n`);
  await new Promise((resolve) => socket.write(Buffer.alloc(bytes), resolve));
  return { socket, answer: () => answer };
}

describe("a body", () => {
  test("of a request without a token of the database is refused before it has come", async () => {
    const { port } = await openGateway(1, {}).open({ namespace: "own" });
    const wrong = `Authorization: Bearer ${wrongToken}\r\n`;
    for (const headers of [
      "",
      "Authorization: Bearer nonsense\r\n",
      "Authorization: Basic YTpi\r\n",
      wrong,
    ]) {
      const half = await sendHalf(port, 1, headers);
      await once(half.socket, "close");
      expect(statusesIn(half.answer())).toEqual([401]);
    }
  });

  test("is not held where none belongs", async () => {
    const { port } = await openGateway(1, {}).open({ namespace: "own" });
    const head = "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nx";
    expect(statusesIn(await sendRaw(port, head))).toEqual([400]);
  });

  test("is refused while all together hold as much as there may be, and taken once they do not", async () => {
    const upstream = await startUpstream();
    const gateway = openGateway(upstream.port, { heldBytesMax: 20_000, heldBytesOfOneMax: 15_000 });
    const one = await gateway.open({ namespace: "one" });
    const other = await gateway.open({ namespace: "other" });
    const half = await sendHalf(one.port, 10_000);
    await until(async () => expect((await answered(other.port, 12_000)).status).toBe(503));
    expect((await answered(one.port, 6_000)).status).toBe(503);
    half.socket.destroy();
    await until(async () => expect((await answered(other.port, 12_000)).status).toBe(200));

    async function answered(port: number, bytes: number) {
      const answering = setInterval(() => upstream.waiting.shift()?.answer.end("done"), 5);
      return post(port, JSON.stringify("x".repeat(bytes))).finally(() => clearInterval(answering));
    }
  });

  test("that comes byte by byte costs what its pieces cost", async () => {
    const { port } = await openGateway(1, { heldBytesMax: 100_000 }).open({ namespace: "own" });
    const head = `POST /v2/pipeline HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n`;
    const answer = await sendRaw(
      port,
      `${head}Transfer-Encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(1_000)}`,
    );
    expect(statusesIn(answer)).toEqual([503]);
  });
});

describe("what does not come in time ends its connection:", () => {
  const limits = { headersTimeoutMs: 50, arrivalTimeoutMs: 100 };

  test("headers", async () => {
    const { port } = await openGateway(1, limits).open({ namespace: "own" });
    expect(statusesIn(await sendRaw(port, "POST /v2/pipeline HTTP/1.1\r\nHost: a\r\n"))).toEqual([408]);
  });

  test("a body", async () => {
    const { port } = await openGateway(1, limits).open({ namespace: "own" });
    const half = await sendHalf(port, 10);
    await once(half.socket, "close");
    expect(statusesIn(half.answer())).toEqual([408]);
  });

  test("but an answer may take longer", async () => {
    const upstream = await startUpstream();
    const gateway = openGateway(upstream.port, limits);
    const { port } = await gateway.open({ namespace: "own" });
    const answered = post(port);
    const half = await sendHalf(port, 10);
    await once(half.socket, "close");
    await until(() => expect(upstream.waiting).toHaveLength(1));
    upstream.waiting[0]?.answer.end("done");
    expect((await answered).status).toBe(200);
  });
});

describe("requests of one database", () => {
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let gateway: LibsqlGateway;
  beforeEach(async () => {
    upstream = await startUpstream();
    gateway = openGateway(upstream.port, { atOnceMax: 2, waitingMax: 3 });
  });
  const namespaces = () => upstream.waiting.map(({ namespace }) => namespace);
  const answerOne = () => upstream.waiting.shift()?.answer.end("done");

  test("go to the server two at once, the rest wait, more are refused, and a neighbour's goes first", async () => {
    const [own, other] = [
      await gateway.open({ namespace: "own" }),
      await gateway.open({ namespace: "other" }),
    ];
    const answers = [post(own.port), post(own.port)];
    await until(() => expect(namespaces()).toEqual(["own.db", "own.db"]));
    const ended: number[] = [];
    answers.push(...Array.from({ length: 4 }, () => post(own.port)));
    for (const answer of answers) void answer.then(({ status }) => ended.push(status));
    // Six are two that run, three that wait, and one too many.
    await until(() => expect(ended).toEqual([503]));
    const neighbour = post(other.port);
    await until(() => expect(namespaces()).toEqual(["own.db", "own.db", "other.db"]));
    await until(() => {
      answerOne();
      expect(ended).toHaveLength(6);
    });
    expect((await neighbour).status).toBe(200);
    expect(ended.toSorted()).toEqual([200, 200, 200, 200, 200, 503]);
  });

  test("that go on with a transaction do not wait behind new ones", async () => {
    const own = await gateway.open({ namespace: "own" });
    const answers = Array.from({ length: 4 }, () => post(own.port));
    await until(() => expect(upstream.waiting).toHaveLength(2));
    answers.push(post(own.port, '{"baton" : "abc"}'));
    await until(() => expect(upstream.waiting).toHaveLength(3));
    let ended = 0;
    for (const answer of answers) void answer.then(() => ended++);
    await until(() => {
      answerOne();
      expect(ended).toBe(5);
    });
  });

  test("whose client is gone leave their place, waiting or not", async () => {
    const own = await gateway.open({ namespace: "own" });
    const leaving = new AbortController();
    const left = Array.from({ length: 5 }, () => post(own.port, "{}", leaving.signal).catch(() => {}));
    await until(async () => expect((await post(own.port)).status).toBe(503));
    leaving.abort();
    await Promise.all(left);
    upstream.waiting.length = 0;
    const answers = [post(own.port), post(own.port)];
    let ended = 0;
    for (const answer of answers) void answer.then(() => ended++);
    await until(() => {
      answerOne();
      expect(ended).toBe(2);
    });
  });
});

describe("a WebSocket", () => {
  let host: TestServer;
  let own: TestDatabase;
  beforeAll(async () => {
    host = await startTestServer();
    own = await host.addDatabase("own");
  });
  afterAll(() => host.close());

  const open = (limits: Partial<GatewayLimits>) =>
    openGateway(Number(new URL(host.server.directUrl).port), limits).open({ namespace: "own" });

  async function upgrade(port: number): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    closers.push(() => socket.destroy());
    socket.on("error", () => {});
    const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`);
    return socket;
  }

  test("answers every message though one only is at the server at once", async () => {
    const { port } = await open({ atOnceMax: 1 });
    const client = createWebSocketClient({ url: `ws://127.0.0.1:${port}`, authToken: await own.token() });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_none, index) => client.execute(`SELECT ${index} AS n`)),
    );
    expect(results.map(({ rows }) => rows[0]?.n)).toEqual(
      Array.from({ length: 50 }, (_none, index) => index),
    );
    client.close();
    const after = createWebSocketClient({ url: `ws://127.0.0.1:${port}`, authToken: await own.token() });
    expect((await after.execute("SELECT 'again' AS n")).rows[0]?.n).toBe("again");
    after.close();
  });

  test.each<[string, Partial<GatewayLimits>, () => Buffer, string]>([
    ["does not come whole in time", { arrivalTimeoutMs: 100 }, () => half(10), "did not come whole in time"],
    ["is larger than all may hold", { heldBytesMax: 1_000 }, () => half(2_000), "too many large messages"],
    ["has endless empty parts", {}, () => emptyParts, "too many parts"],
  ])("is closed when a message %s", async (_what, limits, bytes, reason) => {
    const { port } = await open(limits);
    const socket = await upgrade(port);
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      if (answer === "") socket.write(bytes());
      answer += chunk.toString("latin1");
    });
    await until(() => expect(answer).toContain(reason));
  });

  const sayHello = async (socket: Socket, token: string) => {
    expect(String(await once(socket, "data"))).toContain("101");
    socket.write(
      writeWebSocketFrame(1, Buffer.from(JSON.stringify({ type: "hello", jwt: token })), "client"),
    );
    return String(await once(socket, "data"));
  };

  test("is refused where the database has as many with a token as it may", async () => {
    const { port } = await open({ webSocketsMax: 1 });
    const first = await upgrade(port);
    expect(await sayHello(first, await own.token())).toContain("hello_ok");
    expect(String(await once(await upgrade(port), "data"))).toContain("503");
    first.destroy();
    await until(async () => expect(String(await once(await upgrade(port), "data"))).toContain("101"));
  });

  test("is refused at its hello when others were first", async () => {
    const { port } = await open({ webSocketsMax: 1 });
    const [first, second] = [await upgrade(port), await upgrade(port)];
    const answers = [sayHello(first, await own.token()), sayHello(second, await own.token())];
    const told = (await Promise.all(answers)).toSorted();
    expect(told.filter((answer) => answer.includes("hello_ok"))).toHaveLength(1);
    expect(told.filter((answer) => answer.includes("too many WebSockets"))).toHaveLength(1);
  });

  test("without a token takes no place of those with one, however many there are", async () => {
    const { port } = await open({ webSocketsMax: 2, strangersMax: 3 });
    const strangers = [];
    for (let count = 0; count < 3; count += 1) {
      const stranger = await upgrade(port);
      await once(stranger, "data");
      strangers.push(stranger);
    }
    const gone = once(strangers[0] ?? expect.fail(), "close");
    const client = createWebSocketClient({ url: `ws://127.0.0.1:${port}`, authToken: await own.token() });
    expect((await client.execute("SELECT 'served' AS n")).rows[0]?.n).toBe("served");
    await gone;
    client.close();
  });

  test("without a token in time is closed", async () => {
    const { port } = await open({ helloTimeoutMs: 50 });
    const socket = await upgrade(port);
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
    });
    await until(() => expect(answer).toContain("no token was shown in time"));
  });

  test.each([
    ["another message", JSON.stringify({ type: "request", request_id: 1, request: {} })],
    ["a hello without a token", JSON.stringify({ type: "hello", jwt: null })],
    ["a hello with a wrong token", JSON.stringify({ type: "hello", jwt: wrongToken })],
    ["half of something large", undefined],
  ])("that begins with %s is closed", async (_what, message) => {
    const { port } = await open({});
    const socket = await upgrade(port);
    await once(socket, "data");
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
    });
    socket.write(
      message === undefined ? half(50_000) : writeWebSocketFrame(1, Buffer.from(message), "client"),
    );
    await until(() => expect(answer).toContain("wants a token first"));
  });
});

function half(bytes: number): Buffer {
  return writeWebSocketFrame(1, Buffer.alloc(bytes + 1), "client").subarray(0, -1);
}

const emptyPart = writeWebSocketFrame(0, Buffer.alloc(0), "client").fill(0, 0, 1);
const emptyParts = Buffer.concat([
  Buffer.from(writeWebSocketFrame(1, Buffer.alloc(0), "client").fill(1, 0, 1)),
  ...Array.from({ length: 1_100 }, () => emptyPart),
]);
