import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { build, type Plugin } from "esbuild";

const folder = new URL(".", import.meta.url).pathname;
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

const banner = `import { createRequire as makeRequire } from "node:module";
const builtinRequire = makeRequire(import.meta.url);`;

await rm(`${folder}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: folder,
  entryPoints: { cli: "src/cli.ts", index: "src/index.ts" },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: process.env.SPLIT === "1",
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  legalComments: "none",
  banner: { js: banner },
  plugins: [requiredBuiltins],
  logLevel: "warning",
});
