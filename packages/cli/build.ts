import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const folder = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/**
 * Takes Node's own modules from `require`, one named export at a time, when the code that needs them
 * first runs. A plain import reads every export of a module, and reading some of node:http and
 * node:util loads the whole of fetch: 20 ms that a command line cannot spare.
 */
const requiredBuiltins: Plugin = {
  name: "required-builtins",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement"
        ? { path, namespace: "builtin", sideEffects: false }
        : { path, external: true },
    );
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: lazyExports(path),
      loader: "js",
    }));
  },
};

/** A module that has every export of a builtin; the bundler drops those that nobody imports. */
function lazyExports(path: string): string {
  const names = Object.getOwnPropertyNames(require(path)).filter((name) => /^[A-Za-z]\w*$/.test(name));
  const lines = names
    .filter((name) => name !== "default")
    .map(
      (name, index) =>
        `const $${index} = /* @__PURE__ */ (() => module.${name})(); export { $${index} as ${name} };`,
    );
  return [`const module = /* @__PURE__ */ builtinRequire(${JSON.stringify(path)});`, ...lines].join("\n");
}

/** Leaves to bundles of their own what only some commands load: all about env files, and their encryption. */
const separateBundles: Plugin = {
  name: "separate-bundles",
  setup: ({ onResolve }) => {
    const leave = (filter: RegExp, path: string) =>
      onResolve({ filter }, ({ kind }) => (kind === "dynamic-import" ? { path, external: true } : undefined));
    leave(/\/env-files\.ts$/, "./env-files.mjs");
    leave(/^age-encryption$/, "./age.mjs");
  },
};

// Node 20 has getBuiltinModule from 20.16 on; it is there at once, unlike createRequire.
const banner = `const builtinRequire = process.getBuiltinModule ??
  (await import("node:module")).createRequire(import.meta.url);`;

/** Bundles the command line into a folder, which is emptied first. */
export async function bundleCli(outdir: string): Promise<void> {
  const cli: BuildOptions = {
    absWorkingDir: folder,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    legalComments: "none",
    banner: { js: banner },
    minify: true,
    plugins: [requiredBuiltins, separateBundles],
    logLevel: "warning",
  };
  await rm(outdir, { recursive: true, force: true });
  // The first two are one file each: reading a second one takes longer than the code that it would save.
  await build({
    ...cli,
    entryPoints: { cli: "src/cli.ts", run: "src/cli-run.ts", "env-files": "src/env-files.ts" },
  });
  await build({ ...cli, entryPoints: { age: "age-encryption" } });
}

if (import.meta.main) await bundleCli(`${folder}dist`);
