import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds the settings page and the broker that takes it in. @throws Error when a step fails */
export function buildBroker(): void {
  const settingsPage = fileURLToPath(new URL("../../../apps/settings-ui/", import.meta.url));
  const broker = fileURLToPath(new URL("../../../apps/broker/", import.meta.url));
  const steps = [
    { cwd: settingsPage, command: ["node_modules/vite/bin/vite.js", "build", "--logLevel", "error"] },
    { cwd: broker, command: ["build.ts"] },
  ];
  for (const { cwd, command } of steps) {
    const { status } = spawnSync(process.execPath, command, { cwd, stdio: "inherit" });
    if (status !== 0) throw new Error(`${command.join(" ")} failed`);
  }
}
