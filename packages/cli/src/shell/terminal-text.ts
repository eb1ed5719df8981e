// Control characters, and the invisible ones that turn the direction of text around: either can make a
// terminal show something else than what is there.
const unprintable = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const unprintableInJson = /[\p{Bidi_Control}\u007f-\u009f\u2028\u2029]/gu;

/** Text from elsewhere on one line, with nothing in it that a terminal would act on. */
export function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ").replace(unprintable, "\ufffd");
}

/** The same for text of several lines: line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) => (/[\t\n]/.test(character) ? character : "\ufffd"));
}

/** A value as indented JSON that is safe to show: what JSON leaves raw and a terminal acts on is escaped. */
export function printableJson(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent) ?? "null";
  return text.replace(
    unprintableInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** How many cells of a terminal a text takes. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += /[\p{Mn}\p{Me}]/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return cells;
}

/** The text cut to a number of cells, with an ellipsis when something was cut off. */
export function cutTo(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  let kept = "";
  for (const character of text) {
    if (cellsOf(kept + character) > cells - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Text from elsewhere in lines of at most `cells`, broken between words, with nothing that a terminal would act on. */
export function wrap(text: string, cells: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && cellsOf(line) + 1 + cellsOf(word) > cells - indent.length) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => indent + each).join("\n");
}
