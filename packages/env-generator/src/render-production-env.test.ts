import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Secret } from "@keyloan/contract";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkProduction, EnvFormatError, renderProductionEnv } from "./index.ts";
import { parseDockerEnvFile } from "./testing/docker-env-file.ts";
import { dotenvReaders } from "./testing/dotenv-readers.ts";
import { parseGithubEnvFile } from "./testing/github-env-file.ts";
import { shellReaders } from "./testing/shell-readers.ts";
import { keys, shopSpec, shopValues } from "./testing/shop-spec.ts";
import { parseSystemdEnvFile } from "./testing/systemd-env-file.ts";
import { environmentOf } from "./testing/yaml-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-production-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = { profile: "next", date: new Date("2026-11-20T23:59:59Z") } as const;
const systemd = {
  dropsEveryBackslash: false,
  leavesOutControlCharacters: false,
  continuesComments: true,
};

test("the file tells its date and profile, switches debugging off and holds the values", () => {
  expect(renderProductionEnv(shopValues(), options)).toEqual({
    findings: [],
    text: `# The production environment, written by Keyloan on 2026-11-20, profile next.
# It holds working keys: keep it out of version control and of all that browsers load.

DEBUG=false

# Shop: grade E, a shared test key in the environment
SHOP_SECRET_KEY=${keys.liveSecret}
OLD_SHOP_KEY=${keys.liveSecret}
SHOP_REGION=auto
SHOP_SESSION=s
`,
  });
});

test.each([
  ["dotenv", (text: string) => dotenvReaders.dotenv?.(folder, text)],
  ["dotenv", (text: string) => dotenvReaders["Node --env-file"]?.(folder, text)],
  ["shell", (text: string) => shellReaders["sh, sourced"]?.(folder, text)],
  ["docker", (text: string) => parseDockerEnvFile(text, { removesQuotes: true })],
  ["github", (text: string) => parseGithubEnvFile(text, { windows: false })],
  ["kubernetes", (text: string) => environmentOf(parse(text))],
  ["systemd", (text: string) => parseSystemdEnvFile(text, systemd)],
  ["json", (text: string) => JSON.parse(text)],
] as const)("readers of %s get the variables and nothing of the header", async (format, read) => {
  const { text } = renderProductionEnv(shopValues(), { ...options, format });
  expect(await read(text)).toEqual({
    DEBUG: "false",
    SHOP_SECRET_KEY: keys.liveSecret,
    OLD_SHOP_KEY: keys.liveSecret,
    SHOP_REGION: "auto",
    SHOP_SESSION: "s",
  });
});

describe("what is refused", () => {
  test.each([
    ["a test key in production", { SHOP_SECRET_KEY: keys.testSecret }, {}, "test_key"],
    ["a publishable one too", { SHOP_PUBLISHABLE_KEY: keys.testPublishable }, {}, "test_key"],
    ["a live key in a preview", {}, { target: "preview" }, "live_key"],
    [
      "another secret key under a public name",
      { SHOP_PUBLISHABLE_KEY: "sk_live_canaryother" },
      {},
      "secret_exposed",
    ],
    [
      "the secret key itself under a public name",
      { SHOP_PUBLISHABLE_KEY: keys.liveSecret },
      {},
      "secret_exposed",
    ],
  ] as const)("%s", (_what, values, more, code) => {
    try {
      renderProductionEnv(shopValues(values), { ...options, ...more });
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof EnvFormatError)) throw error;
      expect(error.code).toBe(code);
      expect(error.remedy).toMatch(/\.$/);
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain("canary");
    }
  });
});

test("a caller that allows test keys gets a warning for each name that has one", () => {
  const values = shopValues({ SHOP_SECRET_KEY: keys.testSecret });
  const { text, findings } = renderProductionEnv(values, { ...options, testKeys: "warn" });
  expect(text).toContain(keys.testSecret);
  expect(findings.map(({ code, severity, variable }) => [code, severity, variable])).toEqual([
    ["test_key", "warn", "SHOP_SECRET_KEY"],
    ["test_key", "warn", "OLD_SHOP_KEY"],
  ]);
});

test("a preview takes test keys, and its debugging stays as it is", () => {
  const values = shopValues({ SHOP_SECRET_KEY: keys.testSecret, DEBUG: "app:*" });
  const { text, findings } = renderProductionEnv(values, { ...options, target: "preview" });
  expect(findings).toEqual([]);
  expect(text).toContain("# The preview environment");
  expect(text).toContain("DEBUG='app:*'");
});

test.each([
  ["true", ["debug"]],
  ["app:*", ["debug"]],
  ["false", []],
  ["0", []],
  ["", []],
])("DEBUG=%s is set to false in production, and told when it was on", (value, codes) => {
  const { text, findings } = renderProductionEnv(shopValues({ DEBUG: value }), options);
  expect(text.match(/^DEBUG=.*$/gm)).toEqual(["DEBUG=false"]);
  expect(findings.map(({ code }) => code)).toEqual(codes);
});

test("a secret variable under a public name is found whatever its value", () => {
  const lines = [{ name: "VITE_SHOP_TOKEN", value: Secret.of("any") }];
  expect(checkProduction(lines, [shopSpec], { target: "preview" })).toMatchObject([
    { code: "secret_exposed", severity: "refuse", variable: "VITE_SHOP_TOKEN" },
  ]);
});
