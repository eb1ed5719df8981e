import { chromium, type Page } from "playwright-core";
import { childEnvironment } from "../../env.ts";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const actionTimeoutMs = 20_000;

/** Chromium with a new profile in `folder`, which is all that it writes to. */
export async function startChromium(
  executablePath: string,
  folder: string,
  onCleanUp: (stop: () => Promise<void>) => void,
): Promise<Page> {
  const launching = chromium.launchPersistentContext(folder, {
    executablePath,
    args: flags,
    headless: true,
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    env: childEnvironment({ HOME: folder }),
    // The demo itself decides what a signal ends, and in which order.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  // Also when the demo is interrupted while the browser still starts.
  onCleanUp(() =>
    launching.then(
      (context) => context.close(),
      () => {},
    ),
  );
  const context = await launching;
  context.setDefaultTimeout(actionTimeoutMs);
  return context.pages()[0] ?? (await context.newPage());
}
