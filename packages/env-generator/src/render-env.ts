import type { EnvFormat } from "@keyloan/contract";
import { checkNames, type EnvLine } from "./env-line.ts";
import { renderDocker } from "./render-docker.ts";
import { renderDotenv } from "./render-dotenv.ts";
import { renderGithub } from "./render-github.ts";
import { renderJson } from "./render-json.ts";
import { renderKubernetes } from "./render-kubernetes.ts";
import { renderShell } from "./render-shell.ts";
import { renderSystemd } from "./render-systemd.ts";

export type RenderOptions = {
  readonly format: EnvFormat;
  /** What the format `kubernetes` calls the Secret: a DNS subdomain name; default `app-env`. */
  readonly name?: string;
  /** Where the delimiters of the format `github` come from; default `crypto.randomUUID`. */
  readonly randomId?: () => string;
};

const renderers: Readonly<Record<EnvFormat, (lines: readonly EnvLine[], options: RenderOptions) => string>> =
  {
    json: renderJson,
    dotenv: renderDotenv,
    shell: renderShell,
    docker: renderDocker,
    github: (lines, { randomId }) => renderGithub(lines, randomId),
    kubernetes: (lines, { name }) => renderKubernetes(lines, name),
    systemd: renderSystemd,
  };

/**
 * The lines as text of a format. Its real readers give back every value exactly as it was; a value that one
 * of them would change is refused.
 * @throws EnvFormatError that names the variable, the reason and a remedy, never the value
 */
export function renderEnv(lines: readonly EnvLine[], options: RenderOptions): string {
  checkNames(lines);
  return renderers[options.format](lines, options);
}
