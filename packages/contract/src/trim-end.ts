/**
 * A text without the characters at its end that are among `unwanted`. It looks at those alone: a pattern such as
 * `/x+$/` begins anew at every place of a text, and takes a minute where somebody wrote a hundred thousand of them.
 */
export function trimEndOf(text: string, unwanted: string): string {
  let end = text.length;
  while (end > 0 && unwanted.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
