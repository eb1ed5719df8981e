import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const printEnvironment = "process.stdout.write(JSON.stringify(process.env))";

/** A child process's environment after the script of a real shell read the text; `$1` is its file. */
export async function readWithShell(shell: string, script: string, folder: string, text: string) {
  const file = join(folder, "env.sh");
  await writeFile(file, text);
  // zsh looks for its settings in ZDOTDIR.
  const options = { env: { LC_ALL: "C.UTF-8", ZDOTDIR: folder }, cwd: folder, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run(
    shell,
    ["-euc", script, shell, file, process.execPath, printEnvironment],
    options,
  );
  const values: Record<string, string> = JSON.parse(stdout);
  return Object.fromEntries(Object.entries(values).filter(([name]) => !ambient.has(name)));
}

const ambient = new Set(["HOME", "LC_ALL", "LOGNAME", "OLDPWD", "PWD", "SHLVL", "ZDOTDIR", "_"]);
const sourced = '. "$1"; exec "$2" -e "$3"';
const evaluated = 'eval "$(/bin/cat "$1")"; exec "$2" -e "$3"';

/** The names of this machine's shells; sh and bash are everywhere, zsh is skipped if it is not installed. */
export const shells: readonly string[] = ["sh", "bash", ...(hasZsh() ? ["zsh"] : [])];

/** A child process's environment after a real shell read the text. */
export const shellReaders: Readonly<
  Record<string, (folder: string, text: string) => Promise<Record<string, string>>>
> = Object.fromEntries(
  shells.flatMap((shell) => [
    [`${shell}, sourced`, (folder, text) => readWithShell(shell, sourced, folder, text)],
    [`${shell}, by eval`, (folder, text) => readWithShell(shell, evaluated, folder, text)],
  ]),
);

function hasZsh(): boolean {
  try {
    execFileSync("zsh", ["--version"], { stdio: "pipe" });
    return true;
  } catch {
    console.log("zsh: skipped. Install the package zsh.");
    return false;
  }
}
