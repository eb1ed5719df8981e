import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { createRootKey } from "@keyloan/vault";
import { build, type Metafile, type Plugin } from "esbuild";
import { type Engine, installedEngines } from "./build-engines.ts";
import { bundledPackages, renderNotices } from "./build-notices.ts";
import { startFaster } from "./build-start-faster.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const { values: options } = parseArgs({
  options: {
    /** Where the build goes, instead of `dist`. */
    output: { type: "string" },
    /** A module whose export `plugin` changes the sources: how faults are put in. */
    plugin: { type: "string" },
    /** A module that is loaded before the broker when it is started to fill its compile cache. */
    preload: { type: "string" },
  },
});
const finished = resolve(options.output ?? join(folder, "dist"));
// A build that fails leaves the last one as it was.
const output = options.output === undefined ? join(folder, "node_modules/.building") : `${finished}.building`;
const warmUpMsMax = 60_000;

// The compile cache is code, so only the owner of the code may write it: it stands beside the code and not in
// the folder for temporary files that all users of a machine share, which is Node's default.
const entry = `import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

enableCompileCache({ directory: fileURLToPath(new URL("./compile-cache", import.meta.url)), portable: true });
await import("./broker.js");
`;

// What is CommonJS inside asks for Node's own modules and for the native engine by this.
const requireBanner = `import { createRequire as createBundleRequire } from "node:module";
const require = createBundleRequire(import.meta.url), requireBuiltin = require;`;

/** Makes `dist`: copied anywhere, it runs with Node 24 alone, on the platform it was built on. */
async function buildBroker(): Promise<void> {
  await rm(output, { recursive: true, force: true });
  const { inputs } = await bundle();
  const packages = await bundledPackages(folder, Object.keys(inputs));
  const engines = await copyEngines(packages.find(({ name }) => name === "libsql")?.path);
  // `openStore` looks for its migrations beside the file it was bundled into.
  await cp(join(folder, "../../packages/store/src/migrations"), join(output, "migrations"), {
    recursive: true,
  });
  await cp(join(folder, "../settings-ui/dist"), join(output, "settings-ui"), { recursive: true });
  await writeFile(join(output, "main.js"), entry);
  await writeFile(join(output, "package.json"), `${JSON.stringify({ private: true, type: "module" })}\n`);
  await writeFile(join(output, "THIRD-PARTY-NOTICES"), await renderNotices([...packages, ...engines]));
  await fillCompileCache();
  await rm(finished, { recursive: true, force: true });
  await rename(output, finished);
}

async function bundle(): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: {
      broker: "src/main.ts",
      // A process of its own, which `startProcess` of the connectors looks for beside the file it was bundled into.
      "database-file": "../../packages/connectors/src/kit/libsql/file-process/main.ts",
    },
    outdir: output,
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // A lazily imported CommonJS module would have no named exports in the bundle; the same as a module has.
    mainFields: ["module", "main"],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    metafile: true,
    banner: { js: requireBanner },
    plugins: [...(await givenPlugins()), startFaster],
    logLevel: "warning",
  });
  return metafile;
}

async function givenPlugins(): Promise<Plugin[]> {
  if (options.plugin === undefined) return [];
  const module: { readonly plugin: Plugin } = await import(pathToFileURL(resolve(options.plugin)).href);
  return [module.plugin];
}

async function copyEngines(libsql: string | undefined): Promise<readonly Engine[]> {
  if (libsql === undefined) throw new Error("the bundle holds no libsql: is the store still built on it?");
  const engines = installedEngines(libsql);
  if (engines.length === 0) throw new Error("no engine of libsql is installed for this platform");
  for (const { name, path } of engines) {
    await cp(path, join(output, "node_modules", name), { recursive: true, dereference: true });
  }
  return engines;
}

/** Starts and stops the built broker once: proves that it runs, and leaves its code compiled. */
async function fillCompileCache(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "keyloan-build-"));
  try {
    const preload = options.preload === undefined ? [] : ["--import", resolve(options.preload)];
    const child = spawn(process.execPath, [...preload, join(output, "main.js")], {
      cwd: data,
      stdio: ["ignore", "pipe", "inherit"],
      timeout: warmUpMsMax,
      env: {
        PORT: "0",
        KEYLOAN_DATA_DIR: data,
        KEYLOAN_ROOT_KEY: createRootKey(randomBytes).line.reveal(),
        KEYLOAN_ADMIN_TOKEN: `klo_admin_${randomBytes(32).toString("base64url")}`,
      },
    });
    child.stdout.once("data", () => child.kill("SIGTERM")).resume();
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`the built broker does not start and stop (exit code ${code})`);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

await buildBroker();
