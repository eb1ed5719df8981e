import { once } from "node:events";
import { field } from "./protobuf.ts";
import type { TestDatabase } from "./test-server.ts";

/** Runs one statement in one of the ways that clients can use, and returns the whole answer as text. */
export type AskWay = (database: Pick<TestDatabase, "url" | "token">, sql: string) => Promise<string>;

const statement = (sql: string) => ({ sql, args: [], named_args: [], want_rows: true });
const batchOf = (sql: string) => ({ steps: [{ condition: null, stmt: statement(sql) }] });
const pipelineOf = (...requests: readonly object[]) => JSON.stringify({ baton: null, requests });
const statementBytes = (sql: string) => Buffer.concat([field(1, sql), field(5, 1)]);
const batchBytes = (sql: string) => field(1, field(2, statementBytes(sql)));

const overHttp =
  (path: string, toBody: (sql: string) => string | Buffer): AskWay =>
  async (database, sql) => {
    const answer = await fetch(`${database.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${await database.token()}` },
      body: toBody(sql),
    });
    return `${answer.status} ${Buffer.from(await answer.arrayBuffer()).toString("latin1")}`;
  };

const overWebSocket =
  (
    subprotocol: string | undefined,
    toMessages: (sql: string, token: string) => readonly (string | Buffer)[],
  ): AskWay =>
  async (database, sql) => {
    const messages = toMessages(sql, await database.token());
    const socket = new WebSocket(database.url.replace("http:", "ws:"), subprotocol ?? []);
    socket.binaryType = "arraybuffer";
    const answers: string[] = [];
    const closed = once(socket, "close");
    socket.addEventListener("message", ({ data }: { readonly data: string | ArrayBuffer }) => {
      answers.push(typeof data === "string" ? data : Buffer.from(data).toString("latin1"));
      if (answers.length === messages.length) socket.close();
    });
    await once(socket, "open");
    for (const message of messages) socket.send(message);
    const [{ code, reason }] = await closed;
    return `${answers.join("\n")}\n${code} ${reason}`;
  };

const jsonMessages =
  (...requests: readonly ((sql: string) => object)[]) =>
  (sql: string, token: string) => [
    JSON.stringify({ type: "hello", jwt: token }),
    ...[() => ({ type: "open_stream", stream_id: 1 }), ...requests].map((request, index) =>
      JSON.stringify({ type: "request", request_id: index, request: request(sql) }),
    ),
  ];

const protobufMessages = (toRequest: (sql: string) => Buffer) => (sql: string, token: string) => [
  field(1, field(1, token)),
  field(2, Buffer.concat([field(1, 1), field(2, field(1, 1))])),
  field(2, Buffer.concat([field(1, 2), toRequest(sql)])),
];

const executeMessage = (sql: string) => ({ type: "execute", stream_id: 1, stmt: statement(sql) });

/** Every way in which SQL reaches the server through a database's port. */
export const askWays: Readonly<Record<string, AskWay>> = {
  "JSON /v1/execute": overHttp("/v1/execute", (sql) => JSON.stringify({ stmt: statement(sql) })),
  "JSON /v2/pipeline": overHttp("/v2/pipeline", (sql) =>
    pipelineOf({ type: "execute", stmt: statement(sql) }),
  ),
  "JSON /v3/pipeline": overHttp("/v3/pipeline", (sql) =>
    pipelineOf({ type: "execute", stmt: statement(sql) }),
  ),
  "JSON with escapes": overHttp("/v2/pipeline", (sql) =>
    pipelineOf({ type: "execute", stmt: statement(sql) }).replaceAll(/[a-z](?=[a-z]*\()/g, escaped),
  ),
  "JSON as an array": overHttp("/v2/pipeline", (sql) =>
    pipelineOf({ type: "execute", stmt: [sql, null, [], [], true, null] }),
  ),
  "the oldest endpoint": overHttp("/", (sql) => JSON.stringify({ statements: [sql] })),
  "the oldest endpoint with parameters": overHttp("/", (sql) =>
    JSON.stringify({ statements: [{ q: sql, params: [] }] }),
  ),
  "batch /v1/batch": overHttp("/v1/batch", (sql) => JSON.stringify({ batch: batchOf(sql) })),
  "batch in a pipeline": overHttp("/v2/pipeline", (sql) =>
    pipelineOf({ type: "batch", batch: batchOf(sql) }),
  ),
  "batch by a cursor": overHttp("/v3/cursor", (sql) => JSON.stringify({ baton: null, batch: batchOf(sql) })),
  "stored SQL": overHttp("/v2/pipeline", (sql) =>
    pipelineOf(
      { type: "store_sql", sql_id: 1, sql },
      { type: "execute", stmt: { sql_id: 1, args: [], named_args: [], want_rows: true } },
    ),
  ),
  "Protobuf pipeline": overHttp("/v3-protobuf/pipeline", (sql) =>
    field(2, field(2, field(1, statementBytes(sql)))),
  ),
  "Protobuf batch": overHttp("/v3-protobuf/pipeline", (sql) => field(2, field(3, field(1, batchBytes(sql))))),
  "Protobuf stored SQL": overHttp("/v3-protobuf/pipeline", (sql) =>
    Buffer.concat([
      field(2, field(6, Buffer.concat([field(1, 1), field(2, sql)]))),
      field(2, field(2, field(1, Buffer.concat([field(2, 1), field(5, 1)])))),
    ]),
  ),
  "Protobuf cursor": overHttp("/v3-protobuf/cursor", (sql) => field(2, batchBytes(sql))),
  "WebSocket without a subprotocol": overWebSocket(undefined, jsonMessages(executeMessage)),
  "WebSocket hrana1": overWebSocket("hrana1", jsonMessages(executeMessage)),
  "WebSocket hrana2": overWebSocket("hrana2", jsonMessages(executeMessage)),
  "WebSocket hrana3": overWebSocket("hrana3", jsonMessages(executeMessage)),
  "WebSocket batch": overWebSocket(
    "hrana2",
    jsonMessages((sql) => ({ type: "batch", stream_id: 1, batch: batchOf(sql) })),
  ),
  "WebSocket stored SQL": overWebSocket(
    "hrana2",
    jsonMessages(
      (sql) => ({ type: "store_sql", sql_id: 1, sql }),
      () => ({
        type: "execute",
        stream_id: 1,
        stmt: { sql_id: 1, args: [], named_args: [], want_rows: true },
      }),
    ),
  ),
  "WebSocket Protobuf": overWebSocket(
    "hrana3-protobuf",
    protobufMessages((sql) => field(4, Buffer.concat([field(1, 1), field(2, statementBytes(sql))]))),
  ),
};

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
