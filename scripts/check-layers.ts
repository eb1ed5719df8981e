import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { checkEngineText } from "./layers/check-engine-text.ts";
import { checkImport, type Workspace } from "./layers/check-imports.ts";
import { checkManifest } from "./layers/check-manifest.ts";
import { checkText } from "./layers/check-text.ts";
import { findCircles } from "./layers/find-circles.ts";
import { findImports } from "./layers/find-imports.ts";
import { maskSource } from "./layers/mask-source.ts";
import { chosenPackages, developmentPackages, isDevelopmentFile } from "./layers/rules.ts";
import {
  listSources,
  packageNameOf,
  readPackages,
  readSharedDevDependencies,
  scope,
  type Violation,
  type WorkspacePackage,
} from "./layers/workspace.ts";

export type LayersReport = {
  readonly violations: readonly Violation[];
  readonly fileCount: number;
  /** Declared dependencies of one workspace package on another. */
  readonly edgeCount: number;
};

/**
 * Holds every package and source file of a workspace against the tables of scripts/layers/rules.ts.
 * @param chosen libraries that must be imported, by more than a type, in what ships
 */
export function checkLayers(root: string, chosen: readonly string[] = []): LayersReport {
  const packages = readPackages(root);
  const workspace = {
    packages: new Map(packages.map((each) => [each.name, each])),
    sharedDevDependencies: readSharedDevDependencies(root),
  };
  const violations: Violation[] = [];
  const graph = new Map<string, string[]>();
  const called = new Set<string>();
  let fileCount = 0;
  for (const each of packages) {
    violations.push(...checkManifest(each));
    for (const file of listSources(root, each.folder)) {
      fileCount++;
      const { problems, needs, libraries } = checkFile(root, file, each, workspace);
      violations.push(...problems);
      if (isDevelopmentFile(file)) continue;
      graph.set(file, needs);
      if (!each.isExample && !developmentPackages.has(each.name))
        for (const name of libraries) called.add(name);
    }
  }
  for (const [first = "", ...others] of findCircles(graph))
    violations.push({ file: first, line: 1, reason: `imports in a circle with ${others.join(", ")}` });
  for (const name of chosen.filter((each) => !called.has(each)))
    violations.push({ file: "scripts/layers/rules.ts", line: 1, reason: `no production file calls ${name}` });
  const edges = packages.flatMap(({ dependencies, devDependencies }) =>
    [...dependencies, ...devDependencies].filter((name) => name.startsWith(scope)),
  );
  return { violations, fileCount, edgeCount: edges.length };
}

function checkFile(
  root: string,
  file: string,
  owner: WorkspacePackage,
  workspace: Workspace,
): { readonly problems: Violation[]; readonly needs: string[]; readonly libraries: string[] } {
  const source = readFileSync(join(root, file), "utf8");
  const mask = maskSource(source);
  const found = findImports(source, mask);
  const imports = found.flatMap((each) => {
    const reason = checkImport(file, each, owner, workspace);
    return reason === undefined ? [] : [{ line: each.line, reason }];
  });
  const texts = [...checkText(file, source, mask), ...checkEngineText(file, source, mask)];
  const loaded = found.flatMap(({ specifier, isTypeOnly }) => (isTypeOnly ? [] : [specifier]));
  const needs = loaded
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(file), specifier));
  return {
    problems: [...imports, ...texts].map((problem) => ({ file, ...problem })),
    needs,
    libraries: loaded.map(packageNameOf),
  };
}

if (import.meta.main) {
  const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
  const { violations, fileCount, edgeCount } = checkLayers(root, chosenPackages);
  for (const { file, line, reason } of violations) console.log(`${file}:${line}: ${reason}`);
  if (violations.length > 0) process.exitCode = 1;
  else console.log(`${fileCount} files, ${edgeCount} edges checked`);
}
