import { lineAt } from "../line-at.ts";
import { closedDoors, isDevelopmentFile, revealHomes } from "./rules.ts";

export type TextProblem = { readonly line: number; readonly reason: string };

const connectorIdPart = String.raw`(?:\b(?:spec|connector)\??\.id|\bconnectorId)\b`;
const stringPart = String.raw`(["'\x60])\0*\1`;
const comparisons = [
  new RegExp(String.raw`${connectorIdPart}\s*[!=]==?\s*${stringPart}`, "g"),
  new RegExp(String.raw`${stringPart}\s*[!=]==?\s*[\w.?]*?${connectorIdPart}`, "g"),
  new RegExp(String.raw`\bswitch\s*\([\w.?\s]*?${connectorIdPart}\s*\)`, "g"),
];
const processEnv = [
  /\bprocess\s*(?:\?\.|\.)\s*env\b/g,
  /\bprocess\s*(?:\?\.)?\[\s*(["'`])\0{3}\1/g,
  /\{[^{}]*\benv\b[^{}]*\}\s*=\s*process\b/g,
];
const reveals = [/\.\s*reveal\b/g, /\brevealValues\b/g];

/** Rules about what a file says rather than what it imports. */
export function checkText(file: string, source: string, mask: string): TextProblem[] {
  if (isDevelopmentFile(file)) return [];
  const find = (patterns: readonly RegExp[], reason: string): TextProblem[] =>
    patterns.flatMap((pattern) =>
      [...mask.matchAll(pattern)].map((match) => ({ line: lineAt(source, match.index), reason })),
    );
  return [
    ...(isConnectorFile(file)
      ? []
      : find(comparisons, "a connector is asked for what it can do, never for its id")),
    ...(file.endsWith("/env.ts") ? [] : find(processEnv, "process.env is read in env.ts files only")),
    ...(revealHomes.some((home) => (home.endsWith("/") ? file.startsWith(home) : file === home))
      ? []
      : find(
          reveals,
          "plaintext of a Secret is taken out in the places listed in scripts/layers/rules.ts only",
        )),
    ...closedDoors.flatMap(({ rooms, call, door }) =>
      rooms.some((room) => file.startsWith(room))
        ? find(
            [new RegExp(String.raw`\b${call.replaceAll(".", "\\.")}\s*\(`, "g")],
            `${call} is called by ${door} only`,
          )
        : [],
    ),
  ].toSorted((a, b) => a.line - b.line);
}

// Inside its own folder a connector may of course name itself; the kit and the registry may not.
function isConnectorFile(file: string): boolean {
  return /^packages\/connectors\/src\/(?!kit\/)[^/]+\//.test(file);
}
