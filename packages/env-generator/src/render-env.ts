import type { EnvFormat } from "@keyloan/contract";
import { checkNames, type EnvLine } from "./env-line.ts";
import { renderDocker } from "./render-docker.ts";
import { renderDotenv } from "./render-dotenv.ts";
import { renderJson } from "./render-json.ts";
import { renderShell } from "./render-shell.ts";

const renderers: Readonly<Record<EnvFormat, (lines: readonly EnvLine[]) => string>> = {
  json: renderJson,
  dotenv: renderDotenv,
  shell: renderShell,
  docker: renderDocker,
};

/**
 * The lines as text of a format. Its real readers give back every value exactly as it was; a value that one
 * of them would change is refused.
 * @throws EnvFormatError that names the variable, the reason and a remedy, never the value
 */
export function renderEnv(lines: readonly EnvLine[], options: { readonly format: EnvFormat }): string {
  checkNames(lines);
  return renderers[options.format](lines);
}
