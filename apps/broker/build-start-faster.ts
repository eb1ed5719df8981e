import { builtinModules, createRequire } from "node:module";
import type { Plugin, PluginBuild } from "esbuild";

const require = createRequire(import.meta.url);
const builtin = new RegExp(`^(?:node:.*|${builtinModules.join("|")})$`);

/** Leaves out of the bundle what the broker never uses and a cold start would pay for. */
export const startFaster: Plugin = {
  name: "start-faster",
  setup: (build) => {
    leaveOutRemoteClients(build);
    leaveOutLanguages(build);
    leaveOutTracing(build);
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

/** prom-client loads it for exemplars, which the broker's measures do not have. */
function leaveOutTracing({ onLoad }: PluginBuild): void {
  onLoad({ filter: /\/@opentelemetry\/api\// }, () => ({ contents: "module.exports = {};", loader: "js" }));
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
