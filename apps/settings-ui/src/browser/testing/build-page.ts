import { fileURLToPath } from "node:url";
import { findChromium } from "@keyloan/test-kit/chromium";
import { build } from "vite";

/** Builds the page once before the tests that look at what is built: the page that ships, not React's for tests. */
export async function setup(): Promise<void> {
  if (findChromium() === undefined) {
    console.warn(
      "SKIPPED: every browser test of the settings page. Install Debian's chromium, or set CHROMIUM_PATH.",
    );
  }
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await build({ root, configFile: `${root}vite.config.ts`, mode: "production", logLevel: "warn" });
  } finally {
    process.env.NODE_ENV = before;
  }
}
