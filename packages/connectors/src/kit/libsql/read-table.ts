import { showName } from "@keyloan/contract";
import { textOf } from "./cells.ts";
import { schemaTooLarge } from "./errors.ts";
import { joinTerms } from "./join-terms.ts";
import { quoteName } from "./names.ts";
import { type Cell, type LibsqlDatabase, notLibsql } from "./pipeline.ts";
import { readPages } from "./read-pages.ts";
import type { SchemaBudget } from "./schema-budget.ts";
import { largeBytesOf, type TableShape } from "./table-shape.ts";
import { readValue, typeCodeSql, valueSql } from "./typed-values.ts";
import type { DumpValue } from "./values.ts";

export type TypedRow = {
  readonly place: readonly Cell[];
  readonly values: readonly DumpValue[];
  /** Whether a value is large. */
  readonly hasParts: boolean;
};

/** Reads the rows of a table with every value as it is stored; of a large value, only the length. */
export async function* readTable(
  database: LibsqlDatabase,
  shape: TableShape,
): AsyncGenerator<readonly TypedRow[]> {
  const large = largeBytesOf(shape);
  const names = shape.columns.map(quoteName);
  const codes = joinTerms(
    names.map((name) => typeCodeSql(name, large)),
    "||",
  );
  const projection = [codes, ...names.map((name) => valueSql(name, large))];
  for await (const page of readPages(database, shape, projection)) {
    yield page.map(({ place, cells }) => {
      const letters = textOf(database, cells[0]);
      if (letters.length !== names.length) throw notLibsql(database);
      const values = names.map((_, index) => readValue(database, letters[index] ?? "", cells[index + 1]));
      return { place, values, hasParts: /[TB]/.test(letters) };
    });
  }
}

/**
 * The rows of a table that is part of the schema. Once there are too many, no further page is requested.
 * @throws ProviderError `rejected` when there are more than `rowsMax`, or more than the budget allows
 */
export async function readSmallTable(
  database: LibsqlDatabase,
  shape: TableShape,
  { budget, rowsMax }: { readonly budget: SchemaBudget; readonly rowsMax: number },
): Promise<readonly (readonly DumpValue[])[]> {
  const rows: (readonly DumpValue[])[] = [];
  for await (const page of readTable(database, shape)) {
    for (const { values } of page) {
      if (rows.length === rowsMax) {
        throw schemaTooLarge(database.provider, `has more than ${rowsMax} rows in ${showName(shape.name)}`);
      }
      budget.take(values);
      rows.push(values);
    }
  }
  return rows;
}
