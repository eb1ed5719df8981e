import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tokensSource } from "../packages/contract/src/index.ts";
import { lineAt } from "./line-at.ts";
import { listTracked } from "./list-tracked.ts";

type Rule = { readonly what: string; readonly pattern: RegExp };

// Only forms that a provider gives to working keys; made-up ones of tests are shorter or spell a word.
const rules: readonly Rule[] = [
  { what: "a live Stripe key", pattern: /\b[sr]k_live_[A-Za-z0-9]{24,}\b/g },
  { what: "a Stripe key", pattern: /\b[sr]k_test_5[A-Za-z0-9]{60,}\b/g },
  { what: "a live Clerk key", pattern: /\bsk_live_[A-Za-z0-9]{40,}\b/g },
  { what: "a Cloudflare token", pattern: /\bcf(?:k|ut|at)_[A-Za-z0-9]{40,}\b/g },
  { what: "an AWS key id", pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { what: "a GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,})\b/g },
  { what: "a token of this broker", pattern: new RegExp(`\\b(?:${tokensSource})\\b`, "g") },
  { what: "a private key", pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\\?\s*[A-Za-z0-9+/]{40}/g },
  { what: "a folder of one machine", pattern: /(?<![\w./-])\/(?:Users|home|work)\/[a-z][\w.-]*\/\w/g },
];
const fileBytesMax = 2 * 1024 * 1024;

/** One line for each tracked text that looks like a working key or a path of somebody's machine. */
export function checkSecrets(root: string): { problems: string[]; fileCount: number } {
  const files = listTracked(root);
  const problems = files.flatMap((file) => {
    const bytes = readFileSync(join(root, file));
    const text = bytes.length > fileBytesMax || bytes.includes(0) ? "" : bytes.toString("utf8");
    return findSecrets(text).map(({ line, what }) => `${file}:${line}: looks like ${what}`);
  });
  return { problems, fileCount: files.length };
}

/** The finding names the kind and never repeats the text. */
export function findSecrets(text: string): { line: number; what: string }[] {
  return rules.flatMap(({ what, pattern }) =>
    [...text.matchAll(pattern)].map(({ index }) => ({ line: lineAt(text, index), what })),
  );
}

if (import.meta.main) {
  const { problems, fileCount } = checkSecrets(
    process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)),
  );
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${fileCount} files checked`);
}
