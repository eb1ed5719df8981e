import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import nextEnv from "@next/env";
import dotenv from "dotenv";
import dotenvExpand from "dotenv-expand";
import { loadEnv } from "vite";
import { readWithShell, shells } from "./shell-readers.ts";

export type DotenvReader = (
  folder: string,
  text: string,
) => Promise<Readonly<Record<string, string | undefined>>>;

const silent = { info: () => {}, error: () => {} };
const pathOf = createRequire(import.meta.url).resolve;
const exported = 'set -a; . "$1"; exec "$2" -e "$3"';

/** The readers that neither expand nor run anything, each by its own entry point. */
export const plainReaders: Readonly<Record<string, DotenvReader>> = {
  dotenv: async (folder, text) => {
    const path = await envFile(folder, text);
    return dotenv.config({ path, processEnv: {}, quiet: true }).parsed ?? {};
  },
  "dotenv with its fast parser": async (_folder, text) => dotenv.parse(text, { fast: true }),
  "@next/env": async (folder, text) => {
    await envFile(folder, text);
    try {
      return nextEnv.loadEnvConfig(folder, false, silent, true).parsedEnv ?? {};
    } finally {
      nextEnv.resetEnv();
    }
  },
  "Vite loadEnv": async (folder, text) => {
    await envFile(folder, text);
    const ambient = new Set(Object.keys(process.env));
    const loaded = Object.entries(loadEnv("production", folder, ""));
    return Object.fromEntries(loaded.filter(([name]) => !ambient.has(name)));
  },
  "Node --env-file": async (folder, text) => {
    const print = "process.stdout.write(JSON.stringify(process.env))";
    return readWithNode(folder, [`--env-file=${await envFile(folder, text)}`, "-e", print]);
  },
};

/** The readers that expand variables, or run commands, in a file. */
export const runningReaders: Readonly<Record<string, DotenvReader>> = {
  "dotenv-expand": async (folder, text) => {
    const path = await envFile(folder, text);
    const parsed = dotenv.config({ path, processEnv: {}, quiet: true });
    return dotenvExpand.expand({ ...parsed, processEnv: {} }).parsed ?? {};
  },
  "dotenv-expand, preloaded": async (folder, text) => {
    const path = await envFile(folder, text);
    const print = "process.stdout.write(JSON.stringify(process.env))";
    const preload = pathOf("dotenv-expand/config");
    return readWithNode(folder, ["-r", preload, "-e", print, `dotenv_config_path=${path}`]);
  },
  dotenvx: async (folder, text) => {
    const path = await envFile(folder, text);
    const read =
      "require(process.argv[1]).config({ path: process.argv[2], processEnv: {}, quiet: true }).parsed";
    const script = `process.stdout.write(JSON.stringify(${read}))`;
    return readWithNode(folder, ["-e", script, pathOf("@dotenvx/dotenvx"), path]);
  },
  ...Object.fromEntries(
    shells.map((shell): [string, DotenvReader] => [
      `${shell}, sourced`,
      (folder, text) => readWithShell(shell, exported, folder, text),
    ]),
  ),
};

/** The programs that read `.env` files in practice. */
export const dotenvReaders: Readonly<Record<string, DotenvReader>> = { ...plainReaders, ...runningReaders };

async function readWithNode(folder: string, args: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    // dotenvx stores data in its user's home: it goes into the folder instead.
    env: { HOME: folder, PATH: process.env.PATH, DOTENVX_NO_ARMOR: "true", DOTENV_CONFIG_QUIET: "true" },
    maxBuffer: 64 * 1024 * 1024,
  });
  const values: Record<string, string> = JSON.parse(stdout);
  return Object.fromEntries(Object.entries(values).filter(([name]) => !ambient.has(name)));
}

const ambient = new Set(["HOME", "PATH", "DOTENVX_NO_ARMOR", "DOTENV_CONFIG_QUIET"]);

async function envFile(folder: string, text: string): Promise<string> {
  const path = join(folder, ".env");
  await writeFile(path, text);
  return path;
}
