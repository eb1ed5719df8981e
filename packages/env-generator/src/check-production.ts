import { fitsField, type KeyMode, keyModeOf } from "@keyloan/contract";
import { isPublicName } from "./check-exposure.ts";
import {
  type DeclaredVariable,
  type DeclaresVariables,
  declarationBehind,
  declarationOf,
  variablesOf,
} from "./declared-variable.ts";
import type { EnvLine } from "./env-line.ts";

export type ProductionOptions = {
  /** Where the file is used: live keys belong into production, test keys into previews. */
  readonly target: "production" | "preview";
  /** What to do about a test key in production. Default: refuse it. */
  readonly testKeys?: "refuse" | "warn";
};

export type ProductionFinding = {
  readonly variable: string;
  /** What is wrong; a sentence whose subject is the variable. */
  readonly message: string;
  readonly remedy: string;
} & (
  | { readonly code: "secret_exposed" | "test_key" | "live_key"; readonly severity: "refuse" | "warn" }
  | { readonly code: "debug"; readonly severity: "warn" }
);

/**
 * Finds reasons not to use these variables: a secret under a name that browsers can see, a test key in production, a
 * live key in a preview, debugging switched on in production. Detects a key's mode only by values that are declared to
 * begin differently in each mode. A finding never contains a value.
 */
export function checkProduction(
  lines: readonly EnvLine[],
  connectors: readonly DeclaresVariables[],
  options: ProductionOptions,
): readonly ProductionFinding[] {
  return lines.flatMap((line) => [
    ...exposure(line, connectors),
    ...wrongMode(line, connectors, options),
    ...(options.target === "production" ? debugging(line) : []),
  ]);
}

/** Whether a value is a key of test or live mode; `undefined` if the value's whole form does not make it certain. */
function modeOf({ pattern, begins }: DeclaredVariable, value: string): KeyMode | undefined {
  return fitsField({ pattern }, value) ? keyModeOf({ begins }, value) : undefined;
}

function exposure(
  { name, value }: EnvLine,
  connectors: readonly DeclaresVariables[],
): readonly ProductionFinding[] {
  if (!isPublicName(name)) return [];
  const text = value.reveal();
  const secrets = variablesOf(connectors).filter(({ secret }) => secret);
  const isSecret =
    declarationBehind(connectors, name)?.secret === true ||
    secrets.some((secret) => modeOf(secret, text) !== undefined);
  if (!isSecret) return [];
  return [
    {
      code: "secret_exposed",
      severity: "refuse",
      variable: name,
      message: "is a name that browsers can see, but its value is a secret key.",
      remedy: "Use the publishable key there, and make a new secret key if this one was ever deployed.",
    },
  ];
}

function wrongMode(
  { name, value }: EnvLine,
  connectors: readonly DeclaresVariables[],
  { target, testKeys = "refuse" }: ProductionOptions,
): readonly ProductionFinding[] {
  const variable = declarationOf(connectors, name);
  const mode = variable === undefined ? undefined : modeOf(variable, value.reveal());
  if (mode === "test" && target === "production") {
    return [
      {
        code: "test_key",
        severity: testKeys,
        variable: name,
        message: "is a test key, and nothing in production is real with it.",
        remedy: "Use the live key of the same account.",
      },
    ];
  }
  if (mode === "live" && target === "preview") {
    return [
      {
        code: "live_key",
        severity: "refuse",
        variable: name,
        message: "is a live key, and a preview must not touch real accounts.",
        remedy: "Use the test key of the same account.",
      },
    ];
  }
  return [];
}

function debugging({ name, value }: EnvLine): readonly ProductionFinding[] {
  if (name !== "DEBUG" || /^(?:|0|false|off|no)$/i.test(value.reveal().trim())) return [];
  return [
    {
      code: "debug",
      severity: "warn",
      variable: name,
      message: "was switched on; the file says DEBUG=false.",
      remedy: "Switch it on only for a single run: debugging shows secrets in logs and pages.",
    },
  ];
}
