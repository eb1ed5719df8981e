import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { parse } from "acorn";
import { packageRules } from "../layers/rules.ts";

/** A regular expression as it stands in a source. */
export type Pattern = { readonly place: string; readonly expression: RegExp };

/** What runs in the broker's process. */
const folders = [...(packageRules.broker?.mayImport ?? []).map((name) => `packages/${name}`), "apps/broker"];

/** Every regular expression that is written down in production code of the broker's process. */
export function findPatterns(root: string): readonly Pattern[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/src/**/*.ts`, { cwd: root }))
    .filter((file) => !file.endsWith(".test.ts") && !file.includes("/testing/"))
    .toSorted()
    .flatMap((file) => patternsOf(readFileSync(join(root, file), "utf8"), file));
}

export function patternsOf(source: string, file: string): readonly Pattern[] {
  const tree = parse(stripTypeScriptTypes(source), {
    ecmaVersion: "latest",
    sourceType: "module",
    locations: true,
  });
  const found: Pattern[] = [];
  visit(tree, ({ regex, loc }) => {
    if (regex === undefined) return;
    found.push({ place: `${file}:${loc?.start.line}`, expression: new RegExp(regex.pattern, regex.flags) });
  });
  return found;
}

type LiteralNode = {
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly loc?: { readonly start: { readonly line: number } };
};

function visit(node: unknown, tell: (node: LiteralNode) => void): void {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) tell(node);
  for (const child of Object.values(node)) visit(child, tell);
}
