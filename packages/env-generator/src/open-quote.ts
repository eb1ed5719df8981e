/**
 * Whether a shell that reads the text is inside quotes at its end, as after `NAME=it's`: the quotes of the next
 * value would then close them, and the shell would run that value.
 */
export function leavesQuoteOpen(text: string): boolean {
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? "";
    if (sign === "\\" && quote !== "'") at += 1;
    else if (sign === quote) quote = undefined;
    else if (quote === undefined && /['"`]/.test(sign)) quote = sign;
    else if (quote === undefined && sign === "#" && /^\s?$/.test(text[at - 1] ?? "")) {
      const lineEnd = text.indexOf("\n", at);
      if (lineEnd === -1) return false;
      at = lineEnd;
    }
  }
  return quote !== undefined;
}
