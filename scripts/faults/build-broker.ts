import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { buildSettingsPage } from "../../packages/dev-providers/src/start/build-programs.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** What is loaded into every instrumented broker before its own code. */
export const runtime = path("runtime.ts");

/** Builds the broker with every await instrumented. @throws Error with the output when it does not build */
export async function buildInstrumentedBroker(output: string): Promise<void> {
  // The page is part of a built broker.
  if ((await buildSettingsPage()) === "failed") throw new Error("the settings page cannot be built");
  const options = ["--output", output, "--plugin", path("instrument-plugin.ts"), "--preload", runtime];
  const child = spawn(process.execPath, [path("../../apps/broker/build.ts"), ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let written = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      written += chunk.toString("utf8");
    });
  }
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the instrumented broker cannot be built:\n${written}`);
}
