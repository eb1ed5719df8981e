import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { BrokerError } from "@keyloan/contract";
import { Hono } from "hono";
import type { BrokerContext, BrokerEnv } from "../http/context.ts";
import { type KeptFile, keepFile, sendFile } from "../http/kept-file.ts";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

// Nothing inline and nothing from elsewhere; WebAssembly is libsodium's, which seals what the user types.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Where the built settings page lies: beside the built broker, or in the workspace. */
export function settingsPageDirectory(): string | undefined {
  const places = ["./settings-ui", "../settings-ui", "../../settings-ui/dist", "../../../settings-ui/dist"];
  return places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((directory) => existsSync(join(directory, "index.html")));
}

/** Serves the settings page, its files read once when the first of them is asked for; what is no file is left to others. */
export function settingsPageRoutes(): Hono<BrokerEnv> {
  let files: ReadonlyMap<string, KeptFile> | undefined;
  const find = (path: string): KeptFile | undefined => {
    files ??= readFiles(settingsPageDirectory());
    return files.get(path);
  };
  return new Hono<BrokerEnv>().get("/settings/*", async (context, next) => {
    const path = pagePath(context);
    const file = find(path);
    const isPage = path === "index.html";
    if (file === undefined) {
      // Anybody may ask for it, under no limit: one line a request would fill the log.
      context.set("isQuiet", isPage);
      if (isPage) throw missing(path);
      return next();
    }
    return sendFile(context, file, {
      // The names of the other files hold their hash, so they never change.
      "cache-control": isPage ? "no-cache" : "public, max-age=31536000, immutable",
      "content-security-policy": contentSecurityPolicy,
      "cross-origin-opener-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    });
  });
}

/** Tells what is missing of the page. */
export function missingPageRoutes(): Hono<BrokerEnv> {
  return new Hono<BrokerEnv>().get("/settings/*", (context) => {
    throw missing(pagePath(context));
  });
}

const pagePath = (context: BrokerContext) => context.req.path.replace(/^\/settings\/?/, "") || "index.html";

function readFiles(directory: string | undefined): ReadonlyMap<string, KeptFile> {
  if (directory === undefined) return new Map();
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  return new Map(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const full = join(entry.parentPath, entry.name);
        const type = contentTypes[extname(entry.name)] ?? "application/octet-stream";
        const file = keepFile(Uint8Array.from(readFileSync(full)), type);
        return [relative(directory, full).split(sep).join("/"), file];
      }),
  );
}

function missing(path: string): BrokerError {
  return path === "index.html"
    ? new BrokerError("unavailable", "the settings page is not built", {
        remedy: "Run `pnpm build`, then start the broker again.",
      })
    : new BrokerError("not_found", "the settings page has no such file", { remedy: "Reload the page." });
}
