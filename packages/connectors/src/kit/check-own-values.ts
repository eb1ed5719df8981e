import type { ConnectorSpec, EnvVarSpec } from "@keyloan/contract";

const generatedBytesMin = 16;
const generatedBytesMax = 64;

/**
 * How a connector's spec contradicts itself about a user's own keys; `undefined` if it does not.
 * A page draws its cards from this data alone, so it must be complete.
 */
export function ownValueProblem(spec: ConnectorSpec): string | undefined {
  for (const variable of spec.env) {
    const problem = variableProblem(variable) ?? roleProblem(variable);
    if (problem !== undefined) return `${variable.name} ${problem}`;
  }
  return guideProblem(spec);
}

/** Whether a user types the variable's value, which is the default. */
export function isTyped({ own }: Pick<EnvVarSpec, "own">): boolean {
  return own === undefined || own.kind === "typed";
}

function variableProblem(variable: EnvVarSpec): string | undefined {
  const { own, helpUrl, secret, optional, family } = variable;
  const fits = (value: string) => new RegExp(variable.pattern ?? "").test(value);
  switch (own?.kind) {
    case undefined:
    case "typed":
      // The app decides how many variables the family has, so the page cannot require any of them.
      return family === true && optional !== true ? "is a family of names and not optional" : undefined;
    case "default":
      if (secret) return "is secret and the same for everybody";
      return fits(own.value) ? undefined : "has a default that does not match its pattern";
    case "generated":
      if (helpUrl !== undefined) return "is generated but has a help page";
      if (!secret) return "is generated but not secret";
      if (own.bytes < generatedBytesMin || own.bytes > generatedBytesMax || !Number.isInteger(own.bytes)) {
        return `is generated from fewer than ${generatedBytesMin} or more than ${generatedBytesMax} bytes`;
      }
      return fits("0f".repeat(own.bytes))
        ? undefined
        : "is generated in a form that does not match its pattern";
    case "absent":
      if (helpUrl !== undefined) return "is for lent credentials only but has a help page";
      return optional === true ? undefined : "is required, but the user's own keys cannot give it";
  }
}

function roleProblem(variable: EnvVarSpec): string | undefined {
  const { role, secret, exposure, pattern } = variable;
  if (role === undefined) return undefined;
  if (pattern === undefined) return `is ${role} but has no pattern`;
  if (role === "address")
    return secret || !isTyped(variable) ? "is an address that the user does not type" : undefined;
  return secret && exposure === "server" ? undefined : "proves calls but is not secret";
}

function guideProblem({ env, guide }: ConnectorSpec): string | undefined {
  if (guide === undefined) return undefined;
  if (!env.some(isTyped)) return "has a guide to keys that the user does not type";
  if (!/^https:\/\/[^\s@]+$/.test(guide.url)) return "has a guide that links to no https page";
  if (guide.steps.length === 0 || guide.steps.some((step) => !/^[A-Z].*\.$/.test(step))) {
    return "has a guide whose steps are not full sentences";
  }
  return undefined;
}
