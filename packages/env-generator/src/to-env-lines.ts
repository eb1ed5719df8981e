import {
  type ConnectorSpec,
  type EnvProfile,
  type EnvVarSpec,
  publicPrefixes,
  type Secret,
  type SecretValues,
} from "@keyloan/contract";
import { checkExposure, checkPublicValues, isPublicName } from "./check-exposure.ts";
import { EnvFormatError } from "./env-format-error.ts";
import { duplicateName, type EnvLine } from "./env-line.ts";

/** The opened values of one connector of a build. */
export type ConnectorValues = { readonly spec: ConnectorSpec; readonly values: SecretValues };

export type EnvLineOptions = {
  readonly profile: EnvProfile;
  /** Sets of copied names to write as well; a set that no connector has adds nothing. */
  readonly copies?: readonly string[];
};

/**
 * Every variable of a build under every name it gets: its own, the profile's public name if browsers may see it,
 * its aliases, and the requested copies. Optional variables without a value are left out.
 * @throws EnvFormatError if a value is missing or undeclared, a name would stand for two values, or a secret
 *   would get a public name
 */
export function toEnvLines(
  connectors: readonly ConnectorValues[],
  options: EnvLineOptions,
): readonly EnvLine[] {
  const lines = new Map<string, EnvLine>();
  const publicLines: EnvLine[] = [];
  const secrets: Secret[] = [];
  for (const { spec, values } of connectors) {
    for (const { name, secret, written } of planNames(spec, values, options)) {
      const value = values[name];
      if (value === undefined) continue;
      if (secret) secrets.push(value);
      for (const { name: writtenName, isPublic } of written) {
        const line = { name: writtenName, value, group: spec };
        addLine(lines, line);
        if (isPublic) publicLines.push(line);
      }
    }
  }
  checkPublicValues(publicLines, secrets);
  return [...lines.values()];
}

/** The sets of copied names that any of the connectors has. */
export function copySets(specs: readonly ConnectorSpec[]): readonly string[] {
  return [
    ...new Set(specs.flatMap(({ env }) => env.flatMap(({ copies }) => Object.keys(copies ?? {})))),
  ].sort();
}

type PlannedVariable = {
  readonly name: string;
  readonly secret: boolean;
  readonly written: readonly { readonly name: string; readonly isPublic: boolean }[];
};

const plansMax = 100;
const plansBySpec = new WeakMap<ConnectorSpec, Map<string, readonly PlannedVariable[]>>();

/**
 * The names under which each value of a connector is written. They depend only on names and take longer to find than
 * all else here takes, so they are kept for the same names; no value is kept.
 */
function planNames(
  spec: ConnectorSpec,
  values: SecretValues,
  options: EnvLineOptions,
): readonly PlannedVariable[] {
  const plans = plansBySpec.get(spec) ?? new Map<string, readonly PlannedVariable[]>();
  plansBySpec.set(spec, plans);
  const key = JSON.stringify([options.profile, options.copies, Object.keys(values)]);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = [...declaredValues(spec, values)].map(([name, variable]) => ({
    name,
    secret: variable.secret,
    written: [...writtenNames(name, variable, options)].map((written) => {
      checkExposure(written, variable);
      return { name: written, isPublic: isPublicName(written) };
    }),
  }));
  // Members of families have names that a request chose, so the number of plans must be limited.
  if (plans.size >= plansMax) plans.clear();
  plans.set(key, plan);
  return plan;
}

function addLine(lines: Map<string, EnvLine>, line: EnvLine): void {
  const earlier = lines.get(line.name);
  if (earlier === undefined) lines.set(line.name, line);
  else if (earlier.value.reveal() !== line.value.reveal()) throw duplicateName(line.name);
}

/** The name and declaration of each given value, in the order of the spec; members of families last. */
function* declaredValues(spec: ConnectorSpec, values: SecretValues): Generator<[string, EnvVarSpec]> {
  const undeclared = new Set(Object.keys(values));
  const familyFirst = spec.env.filter(({ family }) => family).sort((a, b) => b.name.length - a.name.length);
  for (const variable of spec.env) {
    if (variable.family) continue;
    if (undeclared.delete(variable.name)) yield [variable.name, variable];
    else if (!variable.optional) throw missingValue(variable.name, spec);
  }
  for (const name of undeclared) {
    const family = familyFirst.find((candidate) => name.startsWith(candidate.name));
    if (family === undefined) throw undeclaredVariable(name, spec);
    yield [name, family];
  }
}

function* writtenNames(
  name: string,
  variable: EnvVarSpec,
  { profile, copies }: EnvLineOptions,
): Generator<string> {
  yield name;
  const prefix = publicPrefixes[profile];
  if (variable.exposure === "browser" && !name.startsWith(prefix)) yield prefix + name;
  // The aliases and copies of a family would stand for all its members at the same time.
  if (variable.family) return;
  yield* variable.aliases ?? [];
  for (const set of copies ?? []) yield* ownCopies(variable, set);
}

function ownCopies({ copies }: EnvVarSpec, set: string): readonly string[] {
  return copies !== undefined && Object.hasOwn(copies, set) ? (copies[set] ?? []) : [];
}

function missingValue(name: string, { label }: ConnectorSpec): EnvFormatError {
  return new EnvFormatError(
    "missing_value",
    name,
    `has no value, but ${label} must provide one.`,
    "Renew the build, or close it and make a new one.",
  );
}

function undeclaredVariable(name: string, { label }: ConnectorSpec): EnvFormatError {
  return new EnvFormatError(
    "undeclared_variable",
    name,
    `is not a variable that ${label} declares.`,
    "Run the Keyloan version that issued it, or make a new build.",
  );
}
