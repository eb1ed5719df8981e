import { must } from "../steps.ts";
import { ask, databaseOf } from "../try-database.ts";

/** How many rows each table of a build's database holds, as any client reads them, by table. */
export async function readRows(
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, number>>> {
  const names = await query(
    env,
    "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name",
  );
  const counts: Record<string, number> = {};
  for (const name of names) {
    const [count] = await query(env, `select count(*) from "${name.replaceAll('"', '""')}"`);
    counts[name] = Number(count);
  }
  return counts;
}

/** Writes some thousand rows, with values that careless copies lose. */
export async function writeRows(env: Readonly<Record<string, string>>): Promise<void> {
  await query(env, "create table visits (id integer primary key, page text, seconds real, mark blob)");
  await query(
    env,
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
     insert into visits select i, 'page ' || i || char(10), case i % 100 when 0 then 9e999 else i / 7.0 end,
     randomblob(16) from n`,
  );
  await query(env, "create index visits_page on visits (page)");
}

/** The first column of what a statement gives. */
async function query(env: Readonly<Record<string, string>>, sql: string): Promise<readonly string[]> {
  const response = await ask(databaseOf(env), sql);
  must(response.status === 200, `the database answered ${response.status}`);
  const { results } = (await response.json()) as Answer;
  const rows = results[0]?.response?.result?.rows;
  must(rows !== undefined, "the database refused to be read");
  return (rows ?? []).map(([cell]) => cell?.value ?? "");
}

/** As libSQL's "Hrana over HTTP", version 2, answers. */
type Answer = {
  readonly results: readonly {
    readonly response?: {
      readonly result?: { readonly rows: readonly (readonly { readonly value?: string }[])[] };
    };
  }[];
};

/** Told in a step: `3 tables, 41 rows`. */
export function describeRows(rows: Readonly<Record<string, number>>): string {
  const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
  return `${Object.keys(rows).length} tables, ${total} rows`;
}
