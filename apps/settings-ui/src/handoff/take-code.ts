const codePattern = /^#code=(klo_hnd_[A-Za-z0-9_-]+)$/;

/** Takes the single-use code out of the address bar, so that it is in no history, bookmark or screenshot. */
export function takeCode(): string | undefined {
  if (!location.hash.startsWith("#code=")) return undefined;
  const code = codePattern.exec(location.hash)?.[1];
  history.replaceState(null, "", location.pathname);
  // A code that was cut short is still tried: the broker's refusal leads to the right page.
  return code ?? "";
}
