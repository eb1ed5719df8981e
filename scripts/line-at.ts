/** The number of the line that a place of a text is in; the first is 1. */
export function lineAt(source: string, offset: number): number {
  let line = 1;
  for (
    let index = source.indexOf("\n");
    index !== -1 && index < offset;
    index = source.indexOf("\n", index + 1)
  ) {
    line++;
  }
  return line;
}
