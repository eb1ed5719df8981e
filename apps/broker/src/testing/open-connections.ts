import { once } from "node:events";

/** A connection to a database that an app has open. */
export type OpenConnection = {
  /** The value of the first column of the first row. @throws Error when the statement does not work */
  readonly run: (sql: string) => Promise<unknown>;
  readonly close: () => void;
};

type Result = { readonly rows: readonly (readonly { readonly value?: unknown }[])[] };
type Answer = { readonly type: string; readonly response?: { readonly result?: Result } };

const answerMsMax = 5_000;
const http = (env: Readonly<Record<string, string>>) =>
  (env.TURSO_DATABASE_URL ?? "").replace("libsql:", "https:");

/** A WebSocket with one stream on it (Hrana 2), the way a client that keeps its connection speaks. */
export async function openSocket(env: Readonly<Record<string, string>>): Promise<OpenConnection> {
  const socket = new WebSocket(http(env).replace(/^http/, "ws"), ["hrana2"]);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  socket.addEventListener("close", () => ended.reject(new Error("the connection was closed")));
  // One that is refused is closed without having been open.
  await Promise.race([once(socket, "open"), ended.promise]);
  const exchange = async (message: object): Promise<Answer> => {
    const answer = once(socket, "message", { signal: AbortSignal.timeout(answerMsMax) });
    socket.send(JSON.stringify(message));
    const [event] = await Promise.race([answer, ended.promise]);
    const parsed: Answer = JSON.parse(String((event as MessageEvent).data));
    if (!parsed.type.endsWith("_ok")) throw new Error(`the database answers ${parsed.type}`);
    return parsed;
  };
  let requestId = 0;
  const request = (body: object) => exchange({ type: "request", request_id: requestId++, request: body });
  await exchange({ type: "hello", jwt: env.TURSO_AUTH_TOKEN });
  await request({ type: "open_stream", stream_id: 1 });
  return {
    run: async (sql) => {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("the connection was closed");
      const { response } = await request({ type: "execute", stream_id: 1, stmt: { sql, want_rows: true } });
      return response?.result?.rows[0]?.[0]?.value;
    },
    close: () => socket.close(),
  };
}

/** A stream over HTTP that its baton keeps open between requests. */
export function openStream(env: Readonly<Record<string, string>>): OpenConnection {
  let baton: string | null = null;
  return {
    run: async (sql) => {
      const response = await ask(env, { baton, requests: [{ type: "execute", stmt: { sql } }] });
      if (!response.ok) throw new Error(`the database answers ${response.status}`);
      const answer = (await response.json()) as { baton: string | null; results: readonly Answer[] };
      baton = answer.baton;
      const [result] = answer.results;
      if (result?.type !== "ok") throw new Error(`the database answers ${result?.type}`);
      return result.response?.result?.rows[0]?.[0]?.value;
    },
    close: () => undefined,
  };
}

/** The status with which a database answers to the token in an env. */
export async function answers(env: Readonly<Record<string, string>>): Promise<number> {
  return (await ask(env, { requests: [{ type: "execute", stmt: { sql: "SELECT 1" } }] })).status;
}

function ask(env: Readonly<Record<string, string>>, body: object): Promise<Response> {
  return fetch(`${http(env)}/v2/pipeline`, {
    method: "POST",
    headers: { authorization: `Bearer ${env.TURSO_AUTH_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMsMax),
  });
}
