import { libraryHomes, packageRules } from "./rules.ts";
import { scope, type Violation, type WorkspacePackage } from "./workspace.ts";

/** Compares what a package declares with the tables. */
export function checkManifest(workspacePackage: WorkspacePackage): Violation[] {
  const { name, folder, isExample, dependencies, devDependencies, manifestText } = workspacePackage;
  const at = (dependency: string, reason: string): Violation => ({
    file: `${folder}/package.json`,
    line: manifestText.split("\n").findIndex((line) => line.includes(`"${dependency}"`)) + 1,
    reason,
  });
  if (isExample) {
    return [...dependencies, ...devDependencies]
      .filter((dependency) => dependency.startsWith(scope))
      .map((dependency) => at(dependency, `an example lives without ${dependency}`));
  }
  if (packageRules[name] === undefined) {
    return [at("name", `${name} is not in the table of scripts/layers/rules.ts`)];
  }
  return [
    ...[...dependencies].flatMap((dependency) =>
      dependency.startsWith(scope)
        ? mayImport(name, dependency, false)
          ? []
          : [at(dependency, `${name} may not depend on ${dependency}`)]
        : isAtHome(name, dependency)
          ? []
          : [at(dependency, `${dependency} has its home in ${homesOf(dependency)?.join(" and ")}`)],
    ),
    ...[...devDependencies]
      .filter((dependency) => dependency.startsWith(scope) && !mayImport(name, dependency, true))
      .map((dependency) =>
        at(dependency, `${name} may not depend on ${dependency}, not even in development`),
      ),
  ];
}

export function mayImport(name: string, dependency: string, inDevelopment: boolean): boolean {
  const rule = packageRules[name];
  const target = dependency.slice(scope.length);
  if (rule?.mayImport.includes(target)) return true;
  const development = rule?.mayImportInDevelopment;
  return inDevelopment && (development === "*" || (development?.includes(target) ?? false));
}

/** Whether a third-party library may be used by what a package ships. */
export function isAtHome(name: string, library: string): boolean {
  return homesOf(library)?.includes(name) ?? true;
}

export function homesOf(library: string): readonly string[] | undefined {
  const found = Object.keys(libraryHomes).find(
    (pattern) => pattern === library || (pattern.endsWith("/*") && library.startsWith(pattern.slice(0, -1))),
  );
  return found === undefined ? undefined : libraryHomes[found];
}
