import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const folders = ["packages", "apps", "examples"].flatMap((parent) =>
  readdirSync(new URL(`./${parent}`, import.meta.url)).map((name) => `${parent}/${name}`),
);

// They look at the built page: one of them at its size, the others in a browser, which take longer than all the rest.
const buildPage = "./apps/settings-ui/src/browser/testing/build-page.ts";
const globalSetups: Readonly<Record<string, string>> = { "settings-ui": buildPage, browser: buildPage };
const browserTests = "apps/settings-ui/src/browser/**/*.test.ts";
// Sizes that prove a bound, whole programs that are started and killed, and waits that are the point.
const largeTests = "**/*.large.test.ts";
const notHere = ["**/*.live.test.ts", browserTests, largeTests];

const project = (name: string, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  test: {
    name,
    include,
    exclude,
    globalSetup: globalSetups[name] ?? [],
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
      ...folders.map((folder) =>
        project(folder.split("/")[1] ?? folder, [`${folder}/src/**/*.test.ts`], notHere),
      ),
      project("browser", [browserTests]),
      project("large", [largeTests], ["**/node_modules/**"]),
      project("scripts", ["scripts/**/*.test.ts"], notHere),
      project("live", ["**/src/**/*.live.test.ts"], ["**/node_modules/**"]),
    ],
  },
});
