const insertions = [
  ...[";", ",", "(;)", "(", ")", "()", "=", ".", "+", "''", "';'", '"a"', "[;]", "x'00'", "1", "1e5", "a"],
  ...[
    "",
    "/*;*/",
    "--;\n",
    "\ufeff",
    "\v",
    "END",
    ";END;",
    "VIRTUAL",
    "CREATE VIRTUAL",
    "VALUES",
    "INTO",
    "TABLE",
  ],
];

/** A statement with each insertion before each of its tokens, in addition to the space there and in its place. */
export function variantsOf(sql: string): readonly string[] {
  const pieces = sql.match(/\s+|\w+|'[^']*'|"[^"]*"|./g) ?? [];
  const variants = pieces.flatMap((piece, index) => {
    const before = pieces.slice(0, index).join("");
    const after = pieces.slice(index + 1).join("");
    return insertions.flatMap((inserted) => [
      `${before}${inserted}${piece}${after}`,
      ...(piece.trim() === "" ? [`${before}${inserted}${after}`] : []),
    ]);
  });
  return [...new Set(variants)];
}
