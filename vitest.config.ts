import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// The page in a real browser, and what is built of it.
const browserTests = "apps/settings-ui/src/browser/**/*.test.ts";
// Sizes that prove a bound, whole programs that are started and killed, and waits that are the point.
const largeTests = "**/*.large.test.ts";
// With accounts at real providers.
const liveTests = "**/*.live.test.ts";
const notOurs = ["**/node_modules/**", "**/dist/**"];

const project = (name: string, include: string[], given: { exclude?: string[]; globalSetup?: string[] }) => ({
  extends: true as const,
  test: {
    name,
    include,
    exclude: [...notOurs, ...(given.exclude ?? [])],
    globalSetup: given.globalSetup ?? [],
    environment: "node" as const,
    // Loading what is tested takes longer than most tests: a worker loads it once. No test keeps anything in a module.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    // Most tests wait for servers and browsers that they start: one more at a time than there are processors to spare.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: process.env.CI ? ["default", "./scripts/totals-reporter.ts"] : ["default"],
    projects: [
      // One project for all packages: a worker changes its project only by ending.
      project("fast", ["**/*.test.ts"], { exclude: [browserTests, largeTests, liveTests] }),
      project("browser", [browserTests], {
        globalSetup: ["./apps/settings-ui/src/browser/testing/build-page.ts"],
      }),
      project("large", [largeTests], {}),
      project("live", [liveTests], {}),
    ],
  },
});
