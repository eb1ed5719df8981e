import { posix } from "node:path";
import { homesOf, isAtHome, mayImport } from "./check-manifest.ts";
import type { FoundImport } from "./find-imports.ts";
import { developmentPackages, isDevelopmentFile, roomRules } from "./rules.ts";
import { packageNameOf, scope, type WorkspacePackage } from "./workspace.ts";

/** Subpaths of a package that only development may import. */
const developmentSubpaths: ReadonlySet<string> = new Set(["./emulators", "./testing"]);

export type Workspace = {
  /** By name without the scope. */
  readonly packages: ReadonlyMap<string, WorkspacePackage>;
  readonly sharedDevDependencies: ReadonlySet<string>;
};

/** What is wrong with one import of a file, or `undefined`. */
export function checkImport(
  file: string,
  found: FoundImport,
  owner: WorkspacePackage,
  { packages, sharedDevDependencies }: Workspace,
): string | undefined {
  const { specifier } = found;
  if (/^(?:node|virtual|data):/.test(specifier)) return undefined;
  const inDevelopment = isDevelopmentFile(file);
  if (specifier.startsWith(".")) return checkRelative(file, found, owner, inDevelopment);

  const name = packageNameOf(specifier);
  if (!owner.dependencies.has(name)) {
    if (inDevelopment && sharedDevDependencies.has(name)) return undefined;
    if (!owner.devDependencies.has(name)) return `${name} is not declared in ${owner.folder}/package.json`;
    if (!inDevelopment) return `${name} is a devDependency; only tests and stand-ins may import it`;
  }
  if (name.startsWith(scope)) return checkWorkspaceImport(specifier, owner, packages, inDevelopment);
  if (!owner.isExample && !inDevelopment && !isAtHome(owner.name, name)) {
    return `${name} has its home in ${homesOf(name)?.join(" and ")}`;
  }
  return undefined;
}

function checkRelative(
  file: string,
  { specifier, isTypeOnly }: FoundImport,
  owner: WorkspacePackage,
  inDevelopment: boolean,
): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  const closed = inDevelopment
    ? undefined
    : roomRules.find(
        ({ room, mayNotImport }) =>
          file.startsWith(room) && mayNotImport.some((other) => target.startsWith(other)),
      );
  if (closed !== undefined) return `${closed.room} may not know ${specifier}`;
  if (!target.startsWith(`${owner.folder}/`)) return `${specifier} leaves the package; import it by its name`;
  const reachesOut = !inDevelopment && !isTypeOnly && isDevelopmentFile(target);
  return reachesOut && !developmentPackages.has(owner.name)
    ? `${specifier} is for development only; what ships may not import it`
    : undefined;
}

function checkWorkspaceImport(
  specifier: string,
  owner: WorkspacePackage,
  packages: ReadonlyMap<string, WorkspacePackage>,
  inDevelopment: boolean,
): string | undefined {
  const name = packageNameOf(specifier);
  const subpath = `.${specifier.slice(name.length)}`;
  const target = packages.get(name.slice(scope.length));
  if (target === undefined) return `${name} is no package of this workspace`;
  if (owner.isExample) return `an example lives without ${name}`;
  if (!target.exports.has(subpath)) return `${specifier} is private; import ${name}`;
  if (!mayImport(owner.name, name, inDevelopment)) return `${owner.name} may not import ${name}`;
  if (developmentSubpaths.has(subpath) && !inDevelopment && !developmentPackages.has(owner.name)) {
    return `${specifier} is for development only; what ships may not import it`;
  }
  return undefined;
}
