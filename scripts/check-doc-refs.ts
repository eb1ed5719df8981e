import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Quoted, readMarkdown } from "./docs/read-markdown.ts";

const agentsLinesMax = 119;
/** Made by a build or at run time, so a fresh clone does not have them. */
const generatedFolders: ReadonlySet<string> = new Set([
  "node_modules",
  "dist",
  ".git",
  ".turbo",
  ".keyloan",
  "coverage",
]);
const repositoryPath = /^(?:\.\/)?(?:src|apps|packages|examples|scripts|docs|\.ci)\//;

/** One line for each path in the Markdown files of a repository that leads nowhere. */
export function checkDocRefs(root: string): { problems: string[]; fileCount: number } {
  const files = listMarkdown(root);
  const problems = files.flatMap((file) => {
    const source = readFileSync(join(root, file), "utf8");
    const { codeWords, links } = readMarkdown(source);
    return [
      ...checkLength(file, source),
      ...codeWords.flatMap((word) => checkCodeWord(root, file, word)),
      ...links.flatMap((link) => checkLink(root, file, link)),
    ];
  });
  return { problems, fileCount: files.length };
}

function checkLength(file: string, source: string): string[] {
  const lines = source.trimEnd().split("\n").length;
  return file.split("/").at(-1) === "AGENTS.md" && lines > agentsLinesMax
    ? [`${file}:${lines}: has ${lines} lines; keep it under ${agentsLinesMax + 1}`]
    : [];
}

function checkCodeWord(root: string, file: string, { text, line }: Quoted): string[] {
  const path = text.replace(/[,;.)]+$/, "").replace(/(?::\d+)+$|#.*$/, "");
  if (!repositoryPath.test(path) || isPattern(path) || isGenerated(path)) return [];
  const exists = existsSync(join(root, path)) || existsSync(join(root, dirname(file), path));
  return exists ? [] : [`${file}:${line}: \`${path}\` does not exist`];
}

function checkLink(root: string, file: string, { text, line }: Quoted): string[] {
  if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(text)) return [];
  const [path = "", anchor = ""] = text.split("#", 2);
  const target =
    path === "" ? join(root, file) : join(root, path.startsWith("/") ? "" : dirname(file), decode(path));
  if (relative(root, target).startsWith("..")) return [`${file}:${line}: ${text} leaves the repository`];
  if (!existsSync(target)) return [`${file}:${line}: ${text} does not exist`];
  const isKnown = anchor === "" || !target.endsWith(".md") || anchorsOf(target).has(anchor);
  return isKnown ? [] : [`${file}:${line}: ${text} names a heading that does not exist`];
}

function anchorsOf(file: string): Set<string> {
  return readMarkdown(readFileSync(file, "utf8")).anchors;
}

// `packages/*/src`, `docs/decisions/NNNN-title.md` and `packages/<name>` stand for many files.
function isPattern(path: string): boolean {
  return /[*?{}<>[\]…$]|\.\.\.|NNNN/.test(path);
}

function isGenerated(path: string): boolean {
  return path.split("/").some((part) => generatedFolders.has(part));
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function listMarkdown(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return generatedFolders.has(entry.name) ? [] : listMarkdown(root, path);
      return entry.isFile() && entry.name.endsWith(".md") ? [path] : [];
    })
    .toSorted();
}

if (import.meta.main) {
  const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
  const { problems, fileCount } = checkDocRefs(root);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${fileCount} documents checked`);
}
