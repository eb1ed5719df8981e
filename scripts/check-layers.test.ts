import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkLayers } from "./check-layers.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "layers-"));
  write(
    "package.json",
    JSON.stringify({ name: "root", devDependencies: { vitest: "1", "@keyloan/sdk": "*" } }),
  );
  manifest("packages/contract", { dependencies: ["zod"] });
  manifest("packages/local-servers", { dependencies: ["@keyloan/contract", "hono"] });
  manifest("packages/connectors", {
    dependencies: ["@keyloan/contract", "stripe"],
    devDependencies: ["@keyloan/local-servers", "hono"],
    exports: [".", "./emulators", "./testing"],
  });
  manifest("packages/vault", { dependencies: ["@keyloan/contract"] });
  manifest("apps/broker", {
    dependencies: ["@keyloan/contract", "@keyloan/connectors", "hono"],
    devDependencies: ["@keyloan/local-servers"],
  });
  manifest("examples/notes", { dependencies: ["stripe", "hono"] });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

type Manifest = { dependencies?: string[]; devDependencies?: string[]; exports?: string[] };

function manifest(
  folder: string,
  { dependencies = [], devDependencies = [], exports = ["."] }: Manifest,
): void {
  const record = (names: string[]) => Object.fromEntries(names.map((name) => [name, "*"]));
  const name = `@keyloan/${folder.startsWith("examples/") ? "example-notes" : folder.split("/")[1]}`;
  const content = {
    name,
    exports: record(exports),
    dependencies: record(dependencies),
    devDependencies: record(devDependencies),
  };
  write(`${folder}/package.json`, JSON.stringify(content, null, 2));
}

const reasons = () =>
  checkLayers(root).violations.map(({ file, line, reason }) => `${file}:${line}: ${reason}`);

test("a workspace that keeps to the table has no violation, and what was looked at is counted", () => {
  write(
    "packages/connectors/src/index.ts",
    `import { a } from "@keyloan/contract";\nimport Stripe from "stripe";`,
  );
  write(
    "packages/connectors/src/x/emulator.ts",
    `import { Hono } from "hono";\nimport "@keyloan/local-servers";`,
  );
  write("packages/connectors/src/x/x.test.ts", `import { test } from "vitest";\nimport "./emulator.ts";`);
  write("apps/broker/src/a.ts", `import type { B } from "./testing/b.ts";\nimport "node:fs";`);
  write("apps/broker/src/testing/b.ts", `import "@keyloan/connectors/emulators";`);
  write("examples/notes/src/main.ts", `import Stripe from "stripe";`);
  expect(checkLayers(root)).toEqual({ violations: [], fileCount: 6, edgeCount: 7 });
});

test.each([
  [
    "nowhere",
    `import type Stripe from "stripe";`,
    ["scripts/layers/rules.ts:1: no production file calls stripe"],
  ],
  ["when it is needed", `const { default: Stripe } = await import("stripe");`, []],
  ["from the start", `import Stripe from "stripe";`, []],
])("a chosen library that is loaded %s", (_when, source, expected) => {
  write("packages/connectors/src/index.ts", source);
  write("packages/connectors/src/x/x.test.ts", `import Stripe from "stripe";`);
  write("examples/notes/src/main.ts", `import Stripe from "stripe";`);
  const found = checkLayers(root, ["stripe"]).violations;
  expect(found.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)).toEqual(expected);
});

test.each([
  {
    what: "a declared edge upwards",
    folder: "packages/vault",
    declared: { dependencies: ["@keyloan/contract", "@keyloan/connectors"] },
    reason: "packages/vault/package.json:8: vault may not depend on @keyloan/connectors",
  },
  {
    what: "a sibling declared for development",
    folder: "packages/vault",
    declared: { devDependencies: ["@keyloan/connectors"] },
    reason:
      "packages/vault/package.json:8: vault may not depend on @keyloan/connectors, not even in development",
  },
  {
    what: "stand-ins as a production dependency",
    folder: "apps/broker",
    declared: { dependencies: ["@keyloan/local-servers"] },
    reason: "apps/broker/package.json:7: broker may not depend on @keyloan/local-servers",
  },
  {
    what: "a provider's library outside the connectors",
    folder: "packages/vault",
    declared: { dependencies: ["@aws-sdk/client-s3"] },
    reason: "packages/vault/package.json:7: @aws-sdk/client-s3 has its home in connectors and archive-store",
  },
  {
    what: "an example that knows us",
    folder: "examples/notes",
    declared: { dependencies: ["@keyloan/sdk"] },
    reason: "examples/notes/package.json:7: an example lives without @keyloan/sdk",
  },
  {
    what: "a package the table does not know",
    folder: "packages/newcomer",
    declared: {},
    reason: "packages/newcomer/package.json:2: newcomer is not in the table of scripts/layers/rules.ts",
  },
])("$what is refused", ({ folder, declared, reason }) => {
  manifest(folder, declared);
  expect(reasons()).toEqual([reason]);
});

test.each([
  {
    what: "an import that is not declared",
    file: "packages/vault/src/a.ts",
    text: `import "lodash";`,
    reason: "lodash is not declared in packages/vault/package.json",
  },
  {
    what: "a type import that is not declared",
    file: "packages/vault/src/a.ts",
    text: `import type { A } from "@keyloan/connectors";`,
    reason: "@keyloan/connectors is not declared in packages/vault/package.json",
  },
  {
    what: "a devDependency in what ships",
    file: "packages/connectors/src/x/issuer.ts",
    text: `import { Hono } from "hono";`,
    reason: "hono is a devDependency; only tests and stand-ins may import it",
  },
  {
    what: "a library of the root package in what ships",
    file: "packages/vault/src/a.ts",
    text: `import "vitest";`,
    reason: "vitest is not declared in packages/vault/package.json",
  },
  {
    what: "a deep import",
    file: "apps/broker/src/a.ts",
    text: `import "@keyloan/contract/src/ids.ts";`,
    reason: "@keyloan/contract/src/ids.ts is private; import @keyloan/contract",
  },
  {
    what: "a path into another package",
    file: "apps/broker/src/a.ts",
    text: `import "../../../packages/contract/src/ids.ts";`,
    reason: "../../../packages/contract/src/ids.ts leaves the package; import it by its name",
  },
  {
    what: "a stand-in in what ships",
    file: "packages/connectors/src/x/index.ts",
    text: `import { startEmulator } from "./emulator.ts";`,
    reason: "./emulator.ts is for development only; what ships may not import it",
  },
  {
    what: "the list of stand-ins in the broker",
    file: "apps/broker/src/a.ts",
    text: `await import("@keyloan/connectors/emulators");`,
    reason: "@keyloan/connectors/emulators is for development only; what ships may not import it",
  },
  {
    what: "reading the environment outside env.ts",
    file: "apps/broker/src/a.ts",
    text: `export const a = process.env["HOME"];`,
    reason: "process.env is read in env.ts files only",
  },
  {
    what: "reading the environment by another spelling",
    file: "apps/broker/src/a.ts",
    text: `const { env } = process;`,
    reason: "process.env is read in env.ts files only",
  },
  {
    what: "asking a connector for its id",
    file: "apps/broker/src/a.ts",
    text: `if (connector.spec.id === "stripe") f();`,
    reason: "a connector is asked for what it can do, never for its id",
  },
  {
    what: "asking a connector for its id backwards",
    file: "packages/connectors/src/registry.ts",
    text: `if ('stripe' !== lease.connectorId) f();`,
    reason: "a connector is asked for what it can do, never for its id",
  },
  {
    what: "a switch over connectors",
    file: "packages/connectors/src/kit/a.ts",
    text: `switch (spec.id) {}`,
    reason: "a connector is asked for what it can do, never for its id",
  },
  {
    what: "taking plaintext out of a secret",
    file: "apps/broker/src/a.ts",
    text: `f(secret.reveal());`,
    reason: "plaintext of a Secret is taken out in the places listed in scripts/layers/rules.ts only",
  },
  {
    what: "taking all plaintext out at once",
    file: "apps/broker/src/a.ts",
    text: `f(revealValues(values));`,
    reason: "plaintext of a Secret is taken out in the places listed in scripts/layers/rules.ts only",
  },
])("$what is refused, with its line", ({ file, text, reason }) => {
  write(file, `// a first line\n${text}\n`);
  expect(reasons()).toEqual([`${file}:2: ${reason}`]);
});

test("an edge that is declared but not in the table is refused at the import too", () => {
  manifest("packages/vault", { dependencies: ["@keyloan/connectors"] });
  write("packages/vault/src/a.ts", `import "@keyloan/connectors";`);
  expect(reasons()).toContain("packages/vault/src/a.ts:1: vault may not import @keyloan/connectors");
});

test.each([
  {
    what: "the environment in env.ts",
    file: "apps/broker/src/env.ts",
    text: "export const a = process.env;",
  },
  {
    what: "plaintext in a connector",
    file: "packages/connectors/src/x/issuer.ts",
    text: "f(secret.reveal());",
  },
  { what: "its own id in a connector", file: "packages/connectors/src/x/a.ts", text: `g(spec.id === "x");` },
  {
    what: "two ids with each other",
    file: "apps/broker/src/a.ts",
    text: "g(spec.id === lease.connectorId);",
  },
  {
    what: "forbidden words in text",
    file: "apps/broker/src/a.ts",
    text: `g("process.env"); // secret.reveal()`,
  },
  { what: "plaintext in a test", file: "apps/broker/src/a.test.ts", text: "f(secret.reveal());" },
])("$what is allowed", ({ file, text }) => {
  write(file, text);
  expect(reasons()).toEqual([]);
});

const beyondConstant = (text: string) => text.replaceAll("%{", "${");
const engineReason =
  "SQL for a database in this process is a constant; other text is run in the places listed in scripts/layers/rules.ts";

test.each([
  `import { DatabaseSync } from "node:sqlite";\nnew DatabaseSync("a").exec(text);`,
  `import { DatabaseSync } from "node:sqlite";\ndatabase.prepare("SELECT " + column);`,
  "import { DatabaseSync } from 'node:sqlite';\ndatabase.prepare(`SELECT %{column}`);",
  `const { DatabaseSync } = await import("node:sqlite");\ndatabase\n  .exec( text );`,
  `import Database from "libsql";\ndatabase.exec(sqlOf("a"));`,
  `import { createClient } from "@libsql/client";\nclient.execute({ sql, args: [] });`,
  `import { createClient } from "@libsql/client/sqlite3";\nclient.executeMultiple(dump);`,
  `import Database from "better-sqlite3";\ndatabase.prepare(text).all();`,
  `import { sql } from "drizzle-orm";\ndatabase.run(sql.raw(text));`,
  `process.getBuiltinModule("node:sqlite");\n`,
])("SQL that is no constant is refused for an engine in this process: %s", (source) => {
  manifest("packages/vault", { dependencies: ["libsql", "@libsql/client", "better-sqlite3", "drizzle-orm"] });
  write("packages/vault/src/a.ts", beyondConstant(source));
  expect(reasons().filter((reason) => reason.includes(engineReason))).toHaveLength(1);
});

test.each([
  [
    "a constant",
    `import { DatabaseSync } from "node:sqlite";\ndatabase.exec("BEGIN"); database.prepare('SELECT ?', {});`,
  ],
  [
    "a constant of some lines",
    "import { DatabaseSync } from 'node:sqlite';\ndatabase.prepare(`SELECT\n  1`);",
  ],
  ["an engine's type", `import type { DatabaseSync } from "node:sqlite";\nregular.exec(text);`],
  ["other things that are executed", `import { exec } from "node:child_process";\nregular.exec(text);`],
])("%s is let through", (_what, source) => {
  write("packages/vault/src/a.ts", source);
  expect(reasons()).toEqual([]);
});

test.each([
  "packages/connectors/src/kit/libsql/file-process/wall.ts",
  "packages/store/src/connection.ts",
  "packages/vault/src/a.test.ts",
  "packages/vault/src/testing/a.ts",
])("%s may give an engine any text", (file) => {
  manifest("packages/store", {});
  write(file, `import { DatabaseSync } from "node:sqlite";\ndatabase.exec(text);`);
  expect(reasons()).toEqual([]);
});

test.each([
  "packages/connectors/src/kit/libsql/write-file.ts",
  "packages/connectors/src/kit/libsql/file-process.ts",
  "packages/store/src/open-store.ts",
  "apps/broker/src/verbs/rollback/a.ts",
])("%s may not", (file) => {
  manifest("packages/store", {});
  write(file, `import { DatabaseSync } from "node:sqlite";\ndatabase.exec(text);`);
  expect(reasons()).toEqual([`${file}:2: ${engineReason}`]);
});

test.each([
  {
    file: "apps/broker/src/verbs/a.ts",
    source: `import { b } from "../http/b.ts";`,
    reason: "apps/broker/src/verbs/ may not know ../http/b.ts",
  },
  {
    file: "apps/broker/src/verbs/builds/a.ts",
    source: `import type { B } from "../../routes/b.ts";`,
    reason: "apps/broker/src/verbs/ may not know ../../routes/b.ts",
  },
  {
    file: "apps/broker/src/sealing/a.ts",
    source: `import { b } from "../verbs/b.ts";`,
    reason: "apps/broker/src/sealing/ may not know ../verbs/b.ts",
  },
  {
    file: "apps/broker/src/verbs/a.ts",
    source: "const row = auditRow(deps, entry);",
    reason: "auditRow is called by tx.audit of a change only",
  },
  {
    file: "apps/broker/src/routes/a.ts",
    source: "const key = openDataKey (keyring, row);",
    reason: "openDataKey is called by apps/broker/src/sealing/data-key.ts only",
  },
])("$file is refused: $source", ({ file, source, reason }) => {
  write(file, source);
  expect(reasons()).toEqual([`${file}:1: ${reason}`]);
});

test("what has its own door is used by whoever else needs it", () => {
  write("apps/broker/src/change.ts", "const row = auditRow(deps, entry);");
  write("apps/broker/src/http/a.ts", `import { b } from "../verbs/b.ts";`);
  write("apps/broker/src/verbs/a.test.ts", `import { b } from "../http/b.ts";\nauditRow(deps, entry);`);
  expect(reasons()).toEqual([]);
});

test("files that need one another are refused, however long the way round is", () => {
  write("packages/vault/src/a.ts", `import { b } from "./b.ts";`);
  write("packages/vault/src/b.ts", `import { c } from "./c.ts";`);
  write("packages/vault/src/c.ts", `import { a } from "./a.ts";\nimport { d } from "./d.ts";`);
  write("packages/vault/src/d.ts", `import type { A } from "./a.ts";`);
  const circle = "packages/vault/src/b.ts, packages/vault/src/c.ts";
  expect(reasons()).toEqual([`packages/vault/src/a.ts:1: imports in a circle with ${circle}`]);
});

test("types may refer to one another, and tests and their helpers may do as they like", () => {
  write("packages/vault/src/a.ts", `import type { B } from "./b.ts";`);
  write("packages/vault/src/b.ts", `import { a } from "./a.ts";`);
  write("packages/vault/src/testing/a.ts", `import { b } from "./b.ts";`);
  write("packages/vault/src/testing/b.ts", `import { a } from "./a.ts";`);
  expect(reasons()).toEqual([]);
});
