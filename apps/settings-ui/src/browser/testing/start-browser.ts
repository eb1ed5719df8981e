import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findChromium } from "@keyloan/test-kit/chromium";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const screenshots = fileURLToPath(new URL("../../../screenshots/", import.meta.url));
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

export type BrowserOptions = {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly reducedMotion?: boolean;
};

export type TestBrowser = {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What a browser console calls an error, refused by the policy or broken, and every address asked for. */
  readonly complaints: readonly string[];
  readonly requests: readonly { readonly url: string; readonly body: string }[];
  /** Keeps a picture for people to look at: of the whole page, or of what is seen while something lies over it. */
  readonly picture: (name: string, page?: Page) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Chromium with a profile of its own that ends with it. */
export async function startBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("there is no Chromium here");
  const profile = await mkdtemp(join(tmpdir(), "keyloan-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: flags,
    headless: true,
    viewport: { width: options.width ?? 1100, height: options.height ?? 900 },
    colorScheme: options.dark === true ? "dark" : "light",
    reducedMotion: options.reducedMotion === true ? "reduce" : "no-preference",
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  const requests: { url: string; body: string }[] = [];
  const watch = (page: Page) => {
    page.on("pageerror", (error) => complaints.push(`${error}`));
    page.on("console", (message) => {
      if (message.type() === "error" || /content security policy/i.test(message.text())) {
        complaints.push(message.text());
      }
    });
  };
  context.on("page", watch);
  context.on("request", (request) => requests.push({ url: request.url(), body: request.postData() ?? "" }));
  const page = context.pages()[0] ?? (await context.newPage());
  watch(page);
  return {
    context,
    page,
    complaints,
    requests,
    picture: async (name, shown = page) => {
      await mkdir(screenshots, { recursive: true });
      const over = shown.locator("[role=alertdialog], [data-notices] > *");
      const fullPage = (await over.count()) === 0;
      await shown.screenshot({ path: join(screenshots, `${name}.png`), fullPage });
    },
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
