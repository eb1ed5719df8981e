import { relative } from "node:path";
import type { Paint } from "../terminal.ts";
import { workspace } from "../workspace.ts";
import type { RunningKeyloan } from "./launcher.ts";

const urlDefault = "http://127.0.0.1:8787";

/**
 * What runs and how to use it, at most 23 lines, so that it fits a terminal of 24. Both commands work as they stand in another terminal
 * in the root folder of the repository.
 */
export function renderScreen(running: RunningKeyloan, paint: Paint): string {
  const fact = (name: string, value: string) => `  ${name.padEnd(24)}${value}`;
  const tokenFile = shown(running.adminTokenFile);
  const buildFile = shown(running.buildFile);
  return [
    `${paint("bold", paint("green", "Keyloan is ready."))} ${paint("dim", "Ctrl-C stops everything.")}`,
    "",
    fact("Broker", paint("cyan", running.url)),
    fact("API documentation", paint("cyan", `${running.url}/docs`)),
    ...running.providers.map(({ label, baseUrl }) => fact(`${label} stand-in`, baseUrl)),
    ...running.providers.flatMap(({ notice }) =>
      notice === undefined ? [] : [`  ${paint("bold", notice)}`],
    ),
    fact("Admin token", `in ${tokenFile}`),
    fact("Handoff link", "keyloan build link <build id>, run like keyloan run below"),
    "",
    paint("bold", "Create a build:"),
    `  curl -sS ${running.url}/v1/builds -d '{"name":"todo-app"}' \\`,
    `    -H "authorization: Bearer $(cat ${tokenFile})" \\`,
    `    -H 'content-type: application/json' | tee ${buildFile}`,
    "",
    paint("bold", "Run the example app with its env:"),
    ...(running.url === urlDefault ? [] : [`  KEYLOAN_URL=${running.url} \\`]),
    `  KEYLOAN_TOKEN_FILE=${tokenFile} ./node_modules/.bin/keyloan run \\`,
    `    --build "$(grep -o 'bld_[0-9a-z]*' ${buildFile} | head -1)" -- \\`,
    "    env PORT=0 ./node_modules/.bin/node examples/notes/src/main.ts",
  ].join("\n");
}

/** A path as it is typed in the root folder, quoted where the shell needs it. */
function shown(path: string): string {
  const inside = relative(workspace.root, path);
  const text = inside.startsWith("..") ? path : inside;
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
