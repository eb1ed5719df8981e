import { request } from "node:http";
import type { LibsqlServer } from "../server.ts";

/** The result of a statement: the first value of its first row as text, or the server's error message. */
export type Asked = { readonly value: string | undefined; readonly error: string | undefined };

/** Asks the server directly, without the gateway, which no build can do. All statements get the same arguments. */
export async function askDirect(
  server: Pick<LibsqlServer, "directUrl">,
  namespace: string,
  token: string,
  sqls: readonly string[],
  texts: readonly string[] = [],
): Promise<readonly Asked[]> {
  const args = texts.map((value) => ({ type: "text", value }));
  const requests = sqls.map((sql) => ({ type: "execute", stmt: { sql, args } }));
  const text = await send(server.directUrl, namespace, token, JSON.stringify({ requests }));
  const { results } = JSON.parse(text) as { results: readonly Result[] };
  return results.map((result) => ({
    value: decode(result.response?.result.rows[0]?.[0]),
    error: result.error?.message,
  }));
}

type Cell = { readonly type: string; readonly value?: unknown; readonly base64?: string };
type Result = {
  readonly error?: { readonly message: string };
  readonly response?: { readonly result: { readonly rows: readonly (readonly Cell[])[] } };
};

function decode(cell: Cell | undefined): string | undefined {
  if (cell === undefined || cell.type === "null") return undefined;
  return cell.base64 === undefined ? String(cell.value) : Buffer.from(cell.base64, "base64").toString("utf8");
}

function send(url: string, namespace: string, token: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: `${namespace}.db`, authorization: `Bearer ${token}` };
    const call = request(`${url}/v2/pipeline`, { method: "POST", agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      response.once("error", reject);
    });
    call.once("error", reject);
    call.end(body);
  });
}
