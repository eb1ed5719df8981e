import type { Io } from "./io.ts";
import { type Paint, paintFor, paintState } from "./paint.ts";
import { cellsOf, cutTo, printable } from "./terminal-text.ts";

export type Column<Row> = {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** May be cut to fit the terminal. Ids never are, so that they can be copied. */
  readonly shrinks?: boolean;
  readonly isState?: boolean;
};

const gap = 2;
// The longest action of the audit and a whole id stand beside it in 80.
const cellsMin = 6;

/** Prints rows under titles, as wide as the terminal allows; cut nowhere when it is not a terminal. */
export function printTable<Row>(io: Io, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const paint = paintFor(io, "stdout");
  const texts = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(cellsOf(column.title), ...texts.map((cells) => cellsOf(cells[index] ?? ""))),
  );
  fit(columns, widths, io.columns());
  const line = (cells: readonly string[], style: (text: string, index: number) => string) =>
    `${cells
      .map((cell, index) => {
        const cut = cutTo(cell, widths[index] ?? cellsMin);
        const padding = index === cells.length - 1 ? 0 : (widths[index] ?? 0) - cellsOf(cut) + gap;
        return style(cut, index) + " ".repeat(padding);
      })
      .join("")}\n`;
  io.out(
    line(
      columns.map((column) => column.title),
      (text) => paint("dim", text),
    ),
  );
  for (const cells of texts) io.out(line(cells, (text, index) => styled(paint, columns[index], text)));
}

function styled<Row>(paint: Paint, column: Column<Row> | undefined, text: string): string {
  return column?.isState ? paintState(paint, text) : text;
}

/** Takes cells from the widest shrinkable column, again and again, until the line fits. */
function fit<Row>(columns: readonly Column<Row>[], widths: number[], cellsMax: number): void {
  const total = () => widths.reduce((sum, width) => sum + width, gap * (widths.length - 1));
  while (total() > cellsMax) {
    let widest = -1;
    columns.forEach((column, index) => {
      if (column.shrinks && (widths[index] ?? 0) > (widths[widest] ?? cellsMin)) widest = index;
    });
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}
