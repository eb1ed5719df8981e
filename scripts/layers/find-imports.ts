import { lineAt } from "../line-at.ts";

export type FoundImport = {
  readonly specifier: string;
  readonly line: number;
  /** Gone at run time. */
  readonly isTypeOnly: boolean;
};

// In the mask the inside of a string is NULs, so nothing but the quotes can be matched by mistake.
const importForms = [
  /\b(?:import|export)\b(?<type>\s+type\b(?!\s*(?:,|from\b)))?[^;"'`=()]*?\bfrom\s*(?<quote>["'])\0*\k<quote>/g,
  /\bimport\s*(?<quote>["'])\0*\k<quote>/g,
  /\b(?:import|require|require\.resolve|import\.meta\.resolve)\s*\(\s*(?<quote>["'`])\0*\k<quote>/g,
];

/** Every module a file names, whether imported, re-exported, required or loaded later. */
export function findImports(source: string, mask: string): FoundImport[] {
  return importForms.flatMap((form) =>
    [...mask.matchAll(form)].map((match) => {
      const end = match.index + match[0].length - 1;
      const start = mask.lastIndexOf(match.groups?.quote ?? '"', end - 1) + 1;
      return {
        specifier: source.slice(start, end),
        line: lineAt(source, start),
        isTypeOnly: match.groups?.type !== undefined,
      };
    }),
  );
}
