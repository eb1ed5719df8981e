import { must } from "./steps.ts";

export type DatabaseAccess = { readonly url: string; readonly token: string };

const timeoutMs = 10_000;

/** The database access in the env of a build. */
export function databaseOf(env: Readonly<Record<string, string>>): DatabaseAccess {
  const { TURSO_DATABASE_URL: url = "", TURSO_AUTH_TOKEN: token = "" } = env;
  must(url !== "" && token !== "", "the env has no database");
  return { url, token };
}

/** The answer of a database to one statement, asked as any client would (libSQL's "Hrana over HTTP", version 2). */
export function ask({ url, token }: DatabaseAccess, sql: string): Promise<Response> {
  return fetch(new URL("/v2/pipeline", url.replace(/^libsql:/, "https:")), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] }),
    signal: AbortSignal.timeout(timeoutMs),
  });
}

/** Whether a database lets itself be read: the status of its answer, or `unreachable`. */
export async function tryDatabase(access: DatabaseAccess): Promise<number | "unreachable"> {
  try {
    const response = await ask(access, "select count(*) from sqlite_schema");
    await response.body?.cancel();
    return response.status;
  } catch {
    return "unreachable";
  }
}

/** Whether an answer means that the token opened nothing. */
export function isRefused(answer: number | "unreachable"): boolean {
  return answer === "unreachable" || (answer >= 400 && answer < 500);
}

export function describeAnswer(answer: number | "unreachable"): string {
  return answer === "unreachable" ? "nothing answers there" : `answered ${answer}`;
}
