import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkDocRefs } from "./check-doc-refs.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "docs-"));
  write("packages/vault/src/key.ts", "");
  write("docs/guide.md", "# A guide\n\n## What it *does*, and `how`\n\n## Twice\n\n## Twice\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

const problemsOf = (text: string, file = "README.md") => {
  write(file, `first line\n${text}\n`);
  return checkDocRefs(root).problems;
};

test.each([
  {
    what: "a path that is gone",
    text: "see `packages/vault/src/gone.ts`",
    path: "packages/vault/src/gone.ts",
  },
  { what: "a path inside a command", text: "run `node scripts/gone.ts --all`", path: "scripts/gone.ts" },
  { what: "a path with a line number", text: "see `docs/gone.md:12`.", path: "docs/gone.md" },
  { what: "a path between double backticks", text: "``.ci/gone``", path: ".ci/gone" },
  { what: "a path inside a package", text: "`src/gone.ts`", path: "src/gone.ts" },
])("$what is reported with its line", ({ text, path }) => {
  expect(problemsOf(text)).toEqual([`README.md:2: \`${path}\` does not exist`]);
});

test.each([
  { text: "[a](docs/gone.md)", reason: "docs/gone.md does not exist" },
  { text: "![a](docs/gone.png)", reason: "docs/gone.png does not exist" },
  { text: "[a]: docs/gone.md", reason: "docs/gone.md does not exist" },
  { text: "[a](docs/guide.md#gone)", reason: "docs/guide.md#gone names a heading that does not exist" },
  { text: "[a](../outside.md)", reason: "../outside.md leaves the repository" },
])("the link $text is reported", ({ text, reason }) => {
  expect(problemsOf(text)).toEqual([`README.md:2: ${reason}`]);
});

test.each([
  { what: "paths that exist", text: "`packages/vault/src/key.ts` `packages/vault/` `docs/guide.md:3`" },
  {
    what: "globs and placeholders",
    text: "`packages/*/src` `packages/<name>/x.ts` `docs/decisions/NNNN-title.md`",
  },
  { what: "what a build makes", text: "`apps/broker/dist/main.js`" },
  { what: "words that are no path of ours", text: "`GET /v1/builds` `@scope/name` `docs`" },
  { what: "fenced blocks", text: "```\n`packages/gone.ts` [a](gone.md)\n```" },
  { what: "links to other sites", text: "[a](https://example.com/x) [b](mailto:a@example.com)" },
  {
    what: "links that resolve",
    text: "[a](docs/guide.md#what-it-does-and-how) [b](/docs) [c](docs/guide.md#twice-1)",
  },
  { what: "links in code", text: "`[a](gone.md)`" },
])("$what are no problem", ({ text }) => {
  expect(problemsOf(text)).toEqual([]);
});

test("a link counts from its own file, a quoted path from the root or from its own file", () => {
  expect(problemsOf("[a](./src/key.ts) `scripts/own.ts`", "packages/vault/README.md")).toEqual([
    "packages/vault/README.md:2: `scripts/own.ts` does not exist",
  ]);
  write("packages/vault/scripts/own.ts", "");
  expect(checkDocRefs(root)).toEqual({ problems: [], fileCount: 2 });
});

test.each([
  { file: "AGENTS.md", lines: 119, problems: [] },
  {
    file: "packages/vault/AGENTS.md",
    lines: 120,
    problems: ["packages/vault/AGENTS.md:120: has 120 lines; keep it under 120"],
  },
  { file: "README.md", lines: 500, problems: [] },
])("$file with $lines lines", ({ file, lines, problems }) => {
  write(file, "x\n".repeat(lines));
  expect(checkDocRefs(root).problems).toEqual(problems);
});

test("installed and built folders are not searched", () => {
  write("node_modules/a/README.md", "`packages/gone.ts`");
  write("packages/vault/dist/a.md", "`packages/gone.ts`");
  expect(checkDocRefs(root).problems).toEqual([]);
});
