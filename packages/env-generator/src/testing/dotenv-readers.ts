import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import nextEnv from "@next/env";
import dotenv from "dotenv";
import { loadEnv } from "vite";

type Reader = (folder: string, text: string) => Promise<Readonly<Record<string, string | undefined>>>;

const silent = { info: () => {}, error: () => {} };

/** The programs that read `.env` files in practice, each by its own entry point, on a real file. */
export const dotenvReaders: Readonly<Record<string, Reader>> = {
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
    const path = await envFile(folder, text);
    const print = "process.stdout.write(JSON.stringify(process.env))";
    const { stdout } = await promisify(execFile)(process.execPath, [`--env-file=${path}`, "-e", print], {
      env: {},
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(stdout);
  },
};

async function envFile(folder: string, text: string): Promise<string> {
  const path = join(folder, ".env");
  await writeFile(path, text);
  return path;
}
