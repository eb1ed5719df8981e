/** The browser that the environment names; empty when it wants none. */
export function chromiumPath(): string | undefined {
  return process.env.CHROMIUM_PATH?.trim();
}
