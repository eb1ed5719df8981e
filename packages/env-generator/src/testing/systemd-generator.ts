import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator";

/** Whether this machine has systemd's own reader of environment files. */
export function hasSystemdGenerator(): boolean {
  return existsSync(generator);
}

/**
 * Reads a file with systemd's code. Its generator for environment.d(5) shares the parser of `EnvironmentFile=`
 * and then expands `$`, so each `$` is doubled here to be printed once. It prints `NAME=value` lines, the value
 * between double quotes with escapes if it needs them.
 */
export function readWithSystemd(folder: string, text: string): Record<string, string> {
  const drops = join(folder, "environment.d");
  mkdirSync(drops, { recursive: true });
  writeFileSync(join(drops, "read.conf"), text.replaceAll("$", "$$$$"));
  const env = { XDG_CONFIG_HOME: folder, HOME: folder };
  const printed = execFileSync(generator, { env, maxBuffer: 64 * 1024 * 1024 }).toString();
  const lines = printed.split("\n").filter((line) => line.startsWith("KEYLOAN_TEST"));
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), unquoted(line.slice(equals + 1))];
    }),
  );
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t" };

function unquoted(printed: string): string {
  const inside = /^"([\s\S]*)"$/.exec(printed)?.[1];
  return inside?.replace(/\\([\s\S])/g, (_, sign: string) => escapes[sign] ?? sign) ?? printed;
}
