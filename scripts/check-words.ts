import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lineAt } from "./line-at.ts";
import { listTracked } from "./list-tracked.ts";

/** Records of what was decided keep the words of their time. */
const keptFolder = "docs/decisions/";
const listHome = "AGENTS.md";

export type WordRule = { readonly avoid: string; readonly use: string };

/** The word list that stands in `AGENTS.md`, as a table under "Words". @throws Error without one */
export function readWordList(text: string): readonly WordRule[] {
  const [, section = ""] = text.split(/^## Words$/m);
  const [table = ""] = section.split(/^## /m);
  const rules = [...table.matchAll(/^\| (?!-|Not )([^|]+?) \| ([^|]+?) \|$/gm)].map(
    ([, avoid = "", use = ""]) => ({ avoid, use }),
  );
  if (rules.length === 0) throw new Error(`${listHome} has no word list`);
  return rules;
}

/** Every place of a text that says what the list avoids, across line ends too. */
export function findWords(text: string, rules: readonly WordRule[]): { line: number; rule: WordRule }[] {
  return rules.flatMap((rule) => {
    const words = rule.avoid.split(" ").map((word) => word.replace(/[^\w\s]/g, "\\$&"));
    const pattern = new RegExp(`\\b${words.join("(?:\\s|\\n\\s*(?://|\\*) ?)+")}\\b`, "gi");
    return [...text.matchAll(pattern)].map(({ index }) => ({
      line: lineAt(text, index),
      rule,
    }));
  });
}

/** One line for each sentence of a repository that has to be said more plainly. */
export function checkWords(root: string): { problems: string[]; fileCount: number } {
  const rules = readWordList(readFileSync(join(root, listHome), "utf8"));
  const files = listTracked(root).filter(
    (file) => /\.(?:md|ts|tsx)$/.test(file) && file !== listHome && !file.startsWith(keptFolder),
  );
  const problems = files.flatMap((file) =>
    findWords(readFileSync(join(root, file), "utf8"), rules).map(
      ({ line, rule }) => `${file}:${line}: says "${rule.avoid}"; say "${rule.use}"`,
    ),
  );
  return { problems, fileCount: files.length };
}

if (import.meta.main) {
  const { problems, fileCount } = checkWords(fileURLToPath(new URL("..", import.meta.url)));
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${fileCount} files say it plainly`);
}
