import { type EnvFormat, Secret } from "@keyloan/contract";
import { checkProduction, type ProductionFinding, type ProductionOptions } from "./check-production.ts";
import { EnvFormatError } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { type RenderOptions, renderEnv } from "./render-env.ts";
import { type ConnectorValues, type EnvLineOptions, toEnvLines } from "./to-env-lines.ts";

export type ProductionEnvOptions = EnvLineOptions &
  Partial<RenderOptions> &
  Partial<ProductionOptions> & {
    /** When the file was made; its first line says so. */
    readonly date: Date;
  };

export type ProductionEnv = {
  readonly text: string;
  /** Warnings for the caller; what is refused throws instead. */
  readonly findings: readonly ProductionFinding[];
};

const hasComments: Readonly<Record<EnvFormat, boolean>> = {
  json: false,
  dotenv: true,
  shell: true,
  docker: true,
  github: false,
  kubernetes: true,
  systemd: true,
};

/**
 * The file that an app is deployed with: dated, for a profile, checked by `checkProduction`, and with `DEBUG=false` in
 * production. The default format is dotenv.
 * @throws EnvFormatError if `checkProduction` refuses something, and as `toEnvLines` and `renderEnv` do
 */
export function renderProductionEnv(
  connectors: readonly ConnectorValues[],
  options: ProductionEnvOptions,
): ProductionEnv {
  const { target = "production", format = "dotenv" } = options;
  const lines = toEnvLines(connectors, options);
  const specs = connectors.map(({ spec }) => spec);
  const findings = checkProduction(lines, specs, { ...options, target });
  for (const finding of findings) {
    if (finding.severity !== "refuse") continue;
    throw new EnvFormatError(finding.code, finding.variable, finding.message, finding.remedy);
  }
  const body = renderEnv(target === "production" ? withDebugOff(lines) : lines, { ...options, format });
  return { text: hasComments[format] ? header(target, options) + body : body, findings };
}

function withDebugOff(lines: readonly EnvLine[]): readonly EnvLine[] {
  const off: EnvLine = { name: "DEBUG", value: Secret.of("false") };
  const others = lines.filter(({ name }) => name !== off.name);
  return [off, ...others];
}

function header(target: string, { date, profile }: ProductionEnvOptions): string {
  return `# The ${target} environment, written by Keyloan on ${date.toISOString().slice(0, 10)}, profile ${profile}.
# It holds working keys: keep it out of version control and of all that browsers load.

`;
}
