import { type EnvFormat, envFormats } from "@keyloan/contract";
import { EnvFormatError } from "./env-format-error.ts";
import { checkNames, type EnvLine } from "./env-line.ts";
import { type Refusal, refuseNoText } from "./refusal.ts";
import { refuseForDocker, renderDocker } from "./render-docker.ts";
import { refuseForDotenv, renderDotenv } from "./render-dotenv.ts";
import { refuseForGithub, renderGithub } from "./render-github.ts";
import { renderJson } from "./render-json.ts";
import { refuseForKubernetes, renderKubernetes } from "./render-kubernetes.ts";
import { renderShell } from "./render-shell.ts";
import { refuseForSystemd, renderSystemd } from "./render-systemd.ts";

export type RenderOptions = {
  readonly format: EnvFormat;
  /** The Secret's name in the format `kubernetes`: a DNS subdomain name; default `app-env`. */
  readonly name?: string;
  /** Makes the delimiters of the format `github`; default `crypto.randomUUID`. */
  readonly randomId?: () => string;
};

type Writer = {
  /** Called for every line before any is rendered. */
  readonly refuse: (line: EnvLine) => Refusal | undefined;
  readonly render: (lines: readonly EnvLine[], options: RenderOptions) => string;
};

const writers: Readonly<Record<EnvFormat, Writer>> = {
  json: { refuse: () => undefined, render: renderJson },
  dotenv: { refuse: refuseForDotenv, render: renderDotenv },
  shell: { refuse: refuseNoText, render: renderShell },
  docker: { refuse: refuseForDocker, render: renderDocker },
  github: { refuse: refuseForGithub, render: (lines, { randomId }) => renderGithub(lines, randomId) },
  kubernetes: { refuse: refuseForKubernetes, render: (lines, { name }) => renderKubernetes(lines, name) },
  systemd: { refuse: refuseForSystemd, render: renderSystemd },
};

/**
 * Renders the lines in a format. The format's real readers return every value exactly as it was and run none; a value
 * that one of them would change is refused.
 * @throws EnvFormatError that names the variable, the reason and the formats that can carry it, never the value
 */
export function renderEnv(lines: readonly EnvLine[], options: RenderOptions): string {
  checkNames(lines);
  const { refuse, render } = writers[options.format];
  for (const line of lines) {
    const refused = refuse(line);
    if (refused === undefined) continue;
    throw new EnvFormatError(refused.code, line.name, refused.reason, refused.remedy ?? otherWays(line));
  }
  return render(lines, options);
}

/** Why a format cannot carry a line; `undefined` if it can. */
export function refusalOf(line: EnvLine, format: EnvFormat): Refusal | undefined {
  return writers[format].refuse(line);
}

/** The formats that can carry a line unchanged; JSON always can. */
export function formatsFor(line: EnvLine): readonly EnvFormat[] {
  return envFormats.filter((format) => refusalOf(line, format) === undefined);
}

function otherWays(line: EnvLine): string {
  const formats = formatsFor(line).join(", ");
  const run = refuseNoText(line) === undefined ? " `keyloan run` passes it to a program unchanged." : "";
  return `Ask for a format that supports it: ${formats}.${run}`;
}
