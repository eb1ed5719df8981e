/** A name as it stands in a sentence: one line, of bounded length, without what a terminal or a page acts on. */
export function showName(name: string, charactersMax = 80): string {
  // No character becomes shorter, so those behind are not shown.
  const text = JSON.stringify(name.slice(0, charactersMax)).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 4)}…"`;
}
