const codeLengthMax = 200;

/** Takes the single-use code out of the address bar, so that it is in no history, bookmark or screenshot. */
export function takeCode(): string | undefined {
  const start = "#code=";
  if (!location.hash.startsWith(start)) return undefined;
  // One that was cut short or changed is still tried: the broker's refusal leads to the right page.
  const code = location.hash.slice(start.length, start.length + codeLengthMax);
  history.replaceState(null, "", location.pathname);
  return code;
}
