import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export type Engine = { readonly name: string; readonly path: string };

/**
 * The store's engine is native code, which no bundle can hold: libsql has one package per platform, of which
 * those that are installed here are given.
 * @param libsql the folder of the package libsql
 */
export function installedEngines(libsql: string): readonly Engine[] {
  const manifest = join(libsql, "package.json");
  const { optionalDependencies }: { optionalDependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(manifest, "utf8"),
  );
  const { resolve } = createRequire(manifest);
  return Object.keys(optionalDependencies).flatMap((name) => {
    try {
      return [{ name, path: dirname(resolve(`${name}/package.json`)) }];
    } catch {
      return [];
    }
  });
}
