import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const printEnvironment = "process.stdout.write(JSON.stringify(process.env))";

/** A child process's environment after the script of a real shell read the text; `$1` is its file. */
export async function readWithShell(shell: string, script: string, folder: string, text: string) {
  const file = join(folder, "env.sh");
  await writeFile(file, text);
  const options = { env: { LC_ALL: "C.UTF-8" }, cwd: folder, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run(
    shell,
    ["-euc", script, shell, file, process.execPath, printEnvironment],
    options,
  );
  const values: Record<string, string> = JSON.parse(stdout);
  return Object.fromEntries(Object.entries(values).filter(([name]) => !ambient.has(name)));
}

const ambient = new Set(["LC_ALL", "OLDPWD", "PWD", "SHLVL", "_"]);
const sourced = '. "$1"; exec "$2" -e "$3"';
const evaluated = 'eval "$(/bin/cat "$1")"; exec "$2" -e "$3"';

/** A child process's environment after a real shell read the text. */
export const shellReaders: Readonly<
  Record<string, (folder: string, text: string) => Promise<Record<string, string>>>
> = {
  "sh, sourced": (folder, text) => readWithShell("/bin/sh", sourced, folder, text),
  "sh, by eval": (folder, text) => readWithShell("/bin/sh", evaluated, folder, text),
  "bash, sourced": (folder, text) => readWithShell("bash", sourced, folder, text),
  "bash, by eval": (folder, text) => readWithShell("bash", evaluated, folder, text),
};
