import { provenColumns } from "../../packages/store/src/index.ts";
import { code, markdownTable } from "./markdown-table.ts";

/** Which columns of which tables are proven by a MAC, for docs/data-model.md. */
export function renderProven(): string {
  const rows = provenColumns().map(({ table, columns }) => [code(table), columns.map(code).join(", ")]);
  return markdownTable(["Table", "`mac` proves"], rows);
}
