import { spawn } from "node:child_process";

/** Runs the command of its arguments, and ends it when whoever started this process is gone. */
function main([file = "", ...args]: readonly string[]): void {
  const child = spawn(file, args, { stdio: "inherit" });
  const stop = () => void child.kill("SIGTERM");
  process.on("SIGTERM", stop);
  process.on("disconnect", stop);
  child.once("error", () => process.exit(127));
  child.once("exit", (code) => process.exit(code ?? 1));
}

main(process.argv.slice(2));
