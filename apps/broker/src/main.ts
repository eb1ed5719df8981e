import { parseArgs } from "node:util";
import { connectors } from "@keyloan/connectors";
import { processEnvironment, readConfig } from "./env.ts";
import { exposureWarnings } from "./exposure.ts";
import { startBroker } from "./start-broker.ts";
import { explainStartFailure } from "./start-failure.ts";

const result = readConfig(
  { ...processEnvironment(), ...readArguments() },
  connectors.map(({ spec }) => spec.id),
);
if (!result.ok) {
  console.error(
    `The broker cannot start. Fix this configuration:\n${result.problems.map((p) => `  - ${p}`).join("\n")}`,
  );
  process.exit(2);
}

/** The one argument, as the variable that it stands for. */
function readArguments(): Record<string, string> {
  try {
    const { values } = parseArgs({ options: { "head-file": { type: "string" } } });
    const file = values["head-file"];
    return file === undefined ? {} : { KEYLOAN_AUDIT_HEAD_FILE: file };
  } catch {
    console.error(
      "The broker takes one argument: --head-file <file>. Set everything else in the environment.",
    );
    process.exit(2);
  }
}

try {
  const { config } = result;
  const broker = await startBroker(config);
  let stopping = false;
  const stop = () => {
    // A second signal means now.
    if (stopping) process.exit(1);
    stopping = true;
    broker.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // Started by a launcher: when that dies, even by kill -9, nobody could stop this process any more.
  process.on("disconnect", stop);
  for (const { message, remedy } of exposureWarnings(config)) console.error(`WARNING: ${message} ${remedy}`);
  // Told last: whoever reads it may send a signal at once, and it must already be heard.
  console.log(`Keyloan broker listens on http://${config.host}:${broker.port}`);
  process.send?.({ kind: "ready", port: broker.port });
} catch (error) {
  console.error(explainStartFailure(error, result.config));
  process.exit(1);
}
