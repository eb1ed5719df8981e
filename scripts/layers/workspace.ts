import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export type Violation = { readonly file: string; readonly line: number; readonly reason: string };

export type WorkspacePackage = {
  /** Without the scope. */
  readonly name: string;
  /** Relative to the root, with forward slashes. */
  readonly folder: string;
  readonly isExample: boolean;
  readonly exports: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  readonly manifestText: string;
};

export const scope = "@keyloan/";

export function readPackages(root: string): WorkspacePackage[] {
  return globSync("{apps,packages,examples}/*/package.json", { cwd: root })
    .toSorted()
    .map((file) => readPackage(root, file.replaceAll("\\", "/")));
}

function readPackage(root: string, file: string): WorkspacePackage {
  const manifestText = readFileSync(join(root, file), "utf8");
  const manifest: {
    name: string;
    exports?: Record<string, unknown>;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
    optionalDependencies?: Record<string, string>;
    peerDependencies?: Record<string, string>;
  } = JSON.parse(manifestText);
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  return {
    name: manifest.name.startsWith(scope) ? manifest.name.slice(scope.length) : manifest.name,
    folder: file.slice(0, -"/package.json".length),
    isExample: file.startsWith("examples/"),
    exports: new Set(Object.keys(manifest.exports ?? {})),
    dependencies: new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })),
    devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
    manifestText,
  };
}

/** What the root package offers to the tests of all packages. */
export function readSharedDevDependencies(root: string): Set<string> {
  const manifest: { devDependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  return new Set(Object.keys(manifest.devDependencies ?? {}).filter((name) => !name.startsWith(scope)));
}

/** Source files of a package, relative to the root. */
export function listSources(root: string, folder: string): string[] {
  return globSync(`${folder}/src/**/*.{ts,tsx,mts}`, { cwd: root })
    .map((file) => relative(root, join(root, file)).replaceAll("\\", "/"))
    .toSorted();
}

/** `@scope/name/deep` → `@scope/name`; `name/deep` → `name`. */
export function packageNameOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
