/**
 * Whether lists and objects of a JSON text stand in one another deeper than `most`: what reads or writes that may end for
 * it. One look at each character: a pattern could look at a string without an end again and again.
 */
export function nestsDeeperThan(text: string, most: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let place = 0; place < text.length; place++) {
    const mark = text[place];
    if (mark === '"') isInString = !isInString;
    else if (isInString) place += mark === "\\" ? 1 : 0;
    else if (mark === "[" || mark === "{") depth += 1;
    else if (mark === "]" || mark === "}") depth -= 1;
    if (depth > most) return true;
  }
  return false;
}
