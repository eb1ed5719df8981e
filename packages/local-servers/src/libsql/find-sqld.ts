import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The path of the libSQL server's program for this machine. It comes as an optional dependency per platform.
 * @throws Error in one sentence when there is none for the platform, or when it is not installed
 */
export function findSqld(
  platform: string = process.platform,
  cpu: string = process.arch,
  resolve: (request: string) => string = require.resolve,
): string {
  if (!published.has(`${platform}-${cpu}`)) {
    throw new Error(
      `There is no libSQL server for ${platform}-${cpu}: run this on Linux (glibc) or macOS, x64 or arm64.`,
    );
  }
  try {
    return join(dirname(resolve(`@sqld/${platform}-${cpu}/package.json`)), "sqld");
  } catch {
    throw new Error(
      `The package @sqld/${platform}-${cpu} is not installed: install again with optional dependencies.`,
    );
  }
}

// The platforms for which the @sqld packages were published.
const published = new Set(["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]);
