import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configVariables } from "../apps/broker/src/config-table.ts";
import { gates } from "../apps/broker/src/gates/run-gates.ts";
import { connectors } from "../packages/connectors/src/index.ts";
import { errorStatuses, invalidKeyCodes, undeterminedCodes } from "../packages/contract/src/index.ts";
import { markdownTable } from "./docs/markdown-table.ts";
import { generatedDocs, outdatedDocs } from "./generate-docs.ts";

const docs = generatedDocs();
const errors = docs.get("docs/errors.md") ?? "";
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "keyloan-docs-"));
  for (const [path, text] of docs) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("the generated documents", () => {
  test("tell every configuration variable, every variable of a build and every error code", () => {
    const names = [
      ...Object.values(configVariables).map(({ name }) => name),
      ...connectors.flatMap(({ spec }) => [...spec.orgFields, ...spec.env].map(({ name }) => name)),
      ...Object.keys(errorStatuses),
    ];
    const text = [...docs.values()].join("\n");
    expect(names.filter((name) => !text.includes(`\`${name}`))).toEqual([]);
  });

  test("tell every code of a key check and every gate", () => {
    const names = [...invalidKeyCodes, ...undeterminedCodes, ...gates.map(({ name }) => name)];
    expect(names.filter((name) => !errors.includes(`\n| \`${name}\` |`))).toEqual([]);
  });

  // These lists are types, so they are read from where they are written.
  test.each([
    ["EnvFormatErrorCode", "packages/env-generator/src/env-format-error.ts"],
    ["EnvFileErrorCode", "packages/env-generator/src/env-file-error.ts"],
    ["AddressRule", "packages/key-validator/src/address/read-address.ts"],
    ["RefusedRange", "packages/key-validator/src/address/refused-ranges.ts"],
  ])("tell every member of %s", (type, path) => {
    const source = readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
    const [, union = ""] = new RegExp(`type ${type} =([^;]*);`).exec(source) ?? [];
    const names = [...union.matchAll(/"(\w+)"/g)].map(([, name]) => name ?? "");
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !errors.includes(`\n| \`${name}\` |`))).toEqual([]);
  });

  test("have tables whose rows are as long as their heads", () => {
    const tables = [...docs.values()].join("\n").match(/(?:^\|.*\n)+/gm) ?? [];
    const widths = tables.map((table) =>
      table
        .trim()
        .split("\n")
        .map((line) => line.split(/(?<!\\)\|/).length),
    );
    expect(tables.length).toBeGreaterThan(5);
    expect(widths.every((row) => new Set(row).size === 1)).toBe(true);
  });

  test("count as up to date when they are what the code says", () => {
    expect(outdatedDocs(root, docs)).toEqual([]);
  });

  test.each([...docs.keys()])("are told by name when %s was edited or is missing", (path) => {
    writeFileSync(join(root, path), `${docs.get(path)} `);
    expect(outdatedDocs(root, docs)).toEqual([path]);
    rmSync(join(root, path));
    expect(outdatedDocs(root, docs)).toEqual([path]);
  });

  test("keep a bar or a line break inside its cell", () => {
    expect(markdownTable(["a"], [["one|two\nthree"]])).toBe("| a |\n| --- |\n| one\\|two three |");
  });
});
