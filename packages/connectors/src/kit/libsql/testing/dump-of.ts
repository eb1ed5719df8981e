import { createDumpWriter, type DumpDefinition, type DumpTable } from "../dump-format.ts";
import type { DumpValue } from "../values.ts";

export type DumpParts = {
  readonly definitions: readonly DumpDefinition[];
  readonly rows?: readonly (DumpTable & { readonly values: readonly (readonly DumpValue[])[] })[];
};

/** A dump that is whole and says anything: as of a server that lies, or whose schema was written over. */
export function dumpOf({ definitions, rows = [] }: DumpParts): Buffer {
  const writer = createDumpWriter();
  writer.line("h", { userVersion: 0, applicationId: 0 });
  for (const definition of definitions) writer.line("s", definition);
  for (const { values, ...table } of rows) {
    writer.line("t", table);
    for (const row of values) writer.line("r", row);
  }
  return Buffer.concat([writer.take("whatever") ?? Buffer.alloc(0), writer.end()]);
}

/** A table as a database lists it. */
export const table = (name: string, sql = `CREATE TABLE ${name}(x)`): DumpDefinition => ({
  type: "table",
  name,
  table: name,
  sql,
});

/** An index, a view or a trigger as a database lists it. */
export const other = (
  type: "index" | "view" | "trigger",
  name: string,
  on: string,
  sql: string,
): DumpDefinition => ({ type, name, table: on, sql });

/** A full-text index over the rows of a table or a view, which is built anew. */
export const searchOver = (name: string, content: string): DumpDefinition => ({
  type: "table",
  name,
  table: name,
  sql: `CREATE VIRTUAL TABLE ${name} USING fts5(x, content='${content}')`,
  search: { kind: "external", settings: [] },
});
