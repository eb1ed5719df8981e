/** The result rows of statements on a database, as text; `undefined` when it refuses or does not answer. */
export async function runSql(
  env: Readonly<Record<string, string>>,
  ...statements: readonly string[]
): Promise<readonly (readonly string[])[] | undefined> {
  const url = (env.TURSO_DATABASE_URL ?? "").replace(/^libsql:/, "https:");
  const requests = statements.map((sql) => ({ type: "execute", stmt: { sql } }));
  const response = await fetch(`${url}/v2/pipeline`, {
    method: "POST",
    headers: { authorization: `Bearer ${env.TURSO_AUTH_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ requests: [...requests, { type: "close" }] }),
  }).catch(() => undefined);
  if (response?.status !== 200) return undefined;
  const { results } = (await response.json()) as Answer;
  if (results.some(({ type }) => type !== "ok")) return undefined;
  const rows = results.at(-2)?.response?.result?.rows ?? [];
  return rows.map((row) => row.map(({ value }) => String(value ?? "")));
}

type Answer = {
  readonly results: readonly {
    readonly type: string;
    readonly response?: {
      readonly result?: { readonly rows?: readonly (readonly { readonly value?: unknown }[])[] };
    };
  }[];
};

/** Some rows that a move must not lose, with what is easily lost. */
export const sampleStatements: readonly string[] = [
  "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, weight REAL, data BLOB)",
  "CREATE INDEX notes_text ON notes (text)",
  "INSERT INTO notes VALUES (1, 'it''s here', 9e999, x'00ff'), (9007199254740993, 'big', -0.5, NULL)",
  "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO notes SELECT i, 'note ' || i, i / 3.0, randomblob(20) FROM n",
];

export const sampleCount = "SELECT count(*), sum(length(text)), max(id) FROM notes";
