import { readFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { dirname } from "node:path";
import type { Plugin, PluginBuild } from "esbuild";
import { installedEngines } from "./build-engines.ts";

const require = createRequire(import.meta.url);
const builtin = new RegExp(`^(?:node:.*|${builtinModules.join("|")})$`);

/** Leaves out of the bundle what the broker never uses and a cold start would pay for. */
export const startFaster: Plugin = {
  name: "start-faster",
  setup: (build) => {
    leaveOutRemoteClients(build);
    leaveOutLanguages(build);
    leaveOutUnusedMetrics(build);
    nameTheEngine(build);
    leaveOutHttp2(build);
    requireBuiltinsOnUse(build);
  },
};

/**
 * Takes Node's own modules from `require`, one named export at a time. A plain import reads every export of a
 * module, and reading some of node:http loads the whole of fetch with it: 40 ms.
 */
function requireBuiltinsOnUse({ onResolve, onLoad }: PluginBuild): void {
  onResolve({ filter: builtin }, ({ path, kind }) =>
    kind === "import-statement"
      ? { path, namespace: "builtin", sideEffects: false }
      : { path, external: true },
  );
  onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
    const names = Object.getOwnPropertyNames(require(path)).filter((name) => /^[A-Za-z_]\w*$/.test(name));
    const exported = names
      .filter((name) => name !== "default")
      .map(
        (name, index) =>
          `const $${index} = /* @__PURE__ */ (() => all.${name})(); export { $${index} as ${name} };`,
      );
    const source = [`const all = /* @__PURE__ */ requireBuiltin(${JSON.stringify(path)});`, ...exported];
    return { contents: [...source, "export default all;"].join("\n"), loader: "js" };
  });
}

/** The store is a file, so its client needs neither the WebSocket nor the HTTP half. */
function leaveOutRemoteClients({ onResolve, resolve }: PluginBuild): void {
  onResolve({ filter: /^@libsql\/client$/ }, ({ resolveDir, kind }) =>
    resolve("@libsql/client/sqlite3", { resolveDir, kind }),
  );
}

/** Reasons are told in English; zod brings fifty languages. */
function leaveOutLanguages({ onLoad }: PluginBuild): void {
  onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
    contents: 'export { default as en } from "./en.js";',
    loader: "js",
  }));
}

/** The broker keeps its own measures and pushes none; what prom-client has for the rest brings a tracing library. */
function leaveOutUnusedMetrics({ onLoad }: PluginBuild): void {
  onLoad({ filter: /\/prom-client\/lib\/(?:defaultMetrics|pushgateway|cluster)\.js$/ }, empty);
  onLoad({ filter: /\/@opentelemetry\/api\// }, empty);
}

const empty = () => ({ contents: "module.exports = {};", loader: "js" as const });

/**
 * libsql finds its engine by a report on the whole process, made twice. Which one is installed is known now.
 * Where several are, it chooses at run time.
 */
function nameTheEngine({ onLoad, onResolve }: PluginBuild): void {
  onResolve({ filter: /^@libsql\/(?:linux|darwin|win32)-/ }, ({ path }) => ({ path, external: true }));
  onLoad({ filter: /\/node_modules\/libsql\/(?:index|promise)\.js$/ }, ({ path }) => {
    const source = readFileSync(path, "utf8");
    const [engine, ...others] = installedEngines(dirname(path));
    if (engine === undefined || others.length > 0) return undefined;
    const named = source.replace("} = requireNative();", `} = require(${JSON.stringify(engine.name)});`);
    if (named === source) throw new Error("libsql asks for its engine in another way now");
    return { contents: named, loader: "js" };
  });
}

/** Hono's server asks of every request whether it came by HTTP/2; here it never does. */
function leaveOutHttp2({ onResolve, onLoad }: PluginBuild): void {
  onResolve({ filter: /^(?:node:)?http2$/ }, ({ path, importer }) =>
    /\/@hono\/node-server\//.test(importer) ? { path, namespace: "no-http2" } : undefined,
  );
  onLoad({ filter: /.*/, namespace: "no-http2" }, () => ({
    contents: "export class Http2ServerRequest {}\nexport const constants = {};",
    loader: "js",
  }));
}
