import { lineAt } from "../line-at.ts";
import type { TextProblem } from "./check-text.ts";
import { findImports } from "./find-imports.ts";
import { engineHomes, isDevelopmentFile } from "./rules.ts";

/** Libraries that open a database in this very process, under whatever name they are imported; clients of servers do not. */
const engines =
  /^(?:node:sqlite|sqlite3?|better-sqlite3|libsql(?:\/.*)?|@libsql\/(?!client\/(?:http|web)$).*|@tursodatabase\/(?:database|sync).*)$/;

// A quoted string, or a template without code in it; the mask leaves the line breaks of a template.
const constant = String.raw`(["'\x60])[\0\n]*\2\s*[,)]`;
const textTaking = String.raw`\.\s*(exec|prepare|execute\w*|batch|migrate|pragma|sql)\s*(?:\?\.\s*)?\(\s*`;
const variableText = new RegExp(`${textTaking}(?!${constant})`, "g");
const rawText = new RegExp(String.raw`\bsql\s*\.\s*(raw)\s*\(\s*(?!${constant})`, "g");
const loadedByName = /\bgetBuiltinModule\b/g;

/**
 * SQL that a database in this process is given is written in this source, word for word: text that comes from elsewhere
 * would run with all that the broker can reach.
 */
export function checkEngineText(file: string, source: string, mask: string): TextProblem[] {
  if (isDevelopmentFile(file) || engineHomes.some((home) => isUnder(file, home))) return [];
  const opensOne = findImports(source, mask).some(
    ({ specifier, isTypeOnly }) => !isTypeOnly && engines.test(specifier),
  );
  const patterns = [rawText, loadedByName, ...(opensOne ? [variableText] : [])];
  return patterns
    .flatMap((pattern) => [...mask.matchAll(pattern)])
    .map(({ index }) => ({ line: lineAt(source, index), reason }))
    .toSorted((a, b) => a.line - b.line);
}

const reason =
  "SQL for a database in this process is a constant; other text is run in the places listed in scripts/layers/rules.ts";

function isUnder(file: string, home: string): boolean {
  return home.endsWith("/") ? file.startsWith(home) : file === home;
}
