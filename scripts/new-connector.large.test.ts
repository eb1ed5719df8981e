import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const repository = fileURLToPath(new URL("..", import.meta.url));
const script = join(repository, "scripts/new-connector.ts");
let root: string;
let source: string;

/** A workspace with the real kit, the real libraries and one provider. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "new-connector-"));
  source = join(root, "packages/connectors/src");
  const real = join(repository, "packages/connectors");
  mkdirSync(source, { recursive: true });
  for (const name of ["kit", "app-secrets"])
    cpSync(join(real, "src", name), join(source, name), { recursive: true });
  for (const name of ["index.ts", "registry.ts", "emulators.ts"])
    cpSync(join(real, "src", name), join(source, name));
  writeFileSync(
    join(source, "providers.ts"),
    `// The list.\nexport { appSecrets } from "./app-secrets/index.ts";\n`,
  );
  cpSync(join(real, "package.json"), join(root, "packages/connectors/package.json"));
  symlinkSync(join(real, "node_modules"), join(root, "packages/connectors/node_modules"));
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  const base = { extends: join(repository, "tsconfig.json"), include: ["packages/*/src"] };
  writeFileSync(join(root, "tsconfig.json"), JSON.stringify(base));
  for (const name of ["biome.json", ".gitignore"]) cpSync(join(repository, name), join(root, name));
  writeFileSync(join(root, "package.json"), `{"type":"module"}`);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (file: string, args: readonly string[]) =>
  spawnSync(process.execPath, [file, ...args], { cwd: root, encoding: "utf8", timeout: 60_000 });
const create = (...args: string[]) => run(script, [...args, "--root", root]);

test("a new provider is one folder and one line, and its folder has all that a connector needs", () => {
  const before = readdirSync(source);
  const { status, stdout } = create("acme-mail", "--label", "Acme Mail", "--category", "mail");
  expect(status).toBe(0);
  expect(stdout.split("\n").filter((line) => line.startsWith("packages/"))).toHaveLength(7);
  expect(readdirSync(source).filter((name) => !before.includes(name))).toEqual(["acme-mail"]);
  expect(readdirSync(join(source, "acme-mail")).toSorted()).toEqual([
    "README.md",
    "acme-mail.test.ts",
    "client.ts",
    "emulator.ts",
    "index.ts",
    "spec.ts",
  ]);
  expect(readFileSync(join(source, "providers.ts"), "utf8")).toBe(
    `// The list.\nexport { acmeMail } from "./acme-mail/index.ts";\nexport { appSecrets } from "./app-secrets/index.ts";\n`,
  );
});

test("what was made compiles under the repository's settings", () => {
  const { status, stdout } = run(join(repository, "node_modules/typescript/bin/tsc"), ["-p", root]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});

test("what was made keeps the promises of every connector", { timeout: 60_000 }, () => {
  const args = [
    "run",
    "--root",
    root,
    `--reporter=${join(repository, "scripts/totals-reporter.ts")}`,
    "acme-mail",
  ];
  const { status, stdout, stderr } = run(join(repository, "node_modules/vitest/vitest.mjs"), args);
  expect({ status, stdout, stderr }).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d{2,} passed, 0 failed, 0 skipped\n$/),
  });
});

test("what was made is formatted and free of lint", () => {
  const args = ["ci", "--error-on-warnings", join(source, "acme-mail"), join(source, "providers.ts")];
  const { status, stderr } = run(join(repository, "node_modules/@biomejs/biome/bin/biome"), args);
  expect({ status, stderr }).toMatchObject({ status: 0 });
});

test.each([
  {
    what: "an id that exists",
    args: ["app-secrets"],
    reason: "packages/connectors/src/app-secrets exists already",
  },
  { what: "the name of the kit", args: ["kit"], reason: "exists already" },
  { what: "an id with a path", args: ["../evil"], reason: "is no connector id" },
  { what: "an id in capitals", args: ["Acme"], reason: "is no connector id" },
  { what: "an unknown category", args: ["acme", "--category", "misc"], reason: "misc is none of database" },
  { what: "a label that is code", args: ["acme", "--label", '"; x'], reason: "letters, digits and spaces" },
  { what: "no id", args: [], reason: "give one connector id" },
  { what: "two ids", args: ["a", "b"], reason: "give one connector id" },
  { what: "an unknown option", args: ["acme", "--force"], reason: "--force" },
])("$what is refused with exit code 2 and nothing is written", ({ args, reason }) => {
  const list = readFileSync(join(source, "providers.ts"), "utf8");
  const before = readdirSync(source);
  const { status, stderr } = create(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(reason);
  expect(readdirSync(source)).toEqual(before);
  expect(readFileSync(join(source, "providers.ts"), "utf8")).toBe(list);
});

test("--help says how it is used", () => {
  const { status, stdout } = create("--help");
  expect(status).toBe(0);
  expect(stdout).toContain("usage: node scripts/new-connector.ts <id>");
});
