import type { Connector, ConnectorSpec, SecretValues } from "@keyloan/contract";
import { beginningsOf, connectorIdPattern, patternStart } from "@keyloan/contract";
import { ownValueProblem } from "./check-own-values.ts";

const callsMin = 6;

/**
 * Checks a connector once, where it is defined, and returns it.
 * @throws Error when the spec contradicts itself: this is a mistake in the code, found at start.
 */
export function defineConnector(connector: Connector): Connector {
  const { spec } = connector;
  const fail = (reason: string): never => {
    throw new Error(`connector ${spec.id}: ${reason}`);
  };
  if (!connectorIdPattern.test(spec.id)) fail("the id is not lower-case words joined by dashes");
  if ((connector.issuer === undefined) === (connector.database === undefined)) {
    fail("give exactly one of issuer and database");
  }
  if (spec.orgFields.length > 0 && connector.validateOrgKey === undefined)
    fail("org fields without validateOrgKey");
  const names = [...writtenNames(spec)];
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) fail(`the variable ${repeated} is named twice`);
  for (const variable of spec.env) {
    if (variable.exposure === "browser" && variable.secret)
      fail(`${variable.name} is secret and browser-visible`);
  }
  for (const field of [...spec.orgFields, ...spec.env]) {
    if (field.pattern !== undefined) new RegExp(field.pattern);
    if (beginningsOf(field).length > 0 && field.pattern?.startsWith(patternStart(field)) !== true)
      fail(`the pattern of ${field.name} does not start like its values: make it with formOf`);
  }
  // All brokers together may make one sixth of these calls in each fifth of the window: at least one call.
  if (connector.callBudget !== undefined && connector.callBudget.calls < callsMin)
    fail(`a budget of fewer than ${callsMin} calls cannot be shared`);
  const problem = ownValueProblem(spec);
  if (problem !== undefined) fail(problem);
  return connector;
}

/** Every variable name a connector may write, aliases and copies included. */
export function* writtenNames(spec: ConnectorSpec): Generator<string> {
  for (const variable of spec.env) {
    yield variable.name;
    yield* variable.aliases ?? [];
    for (const names of Object.values(variable.copies ?? {})) yield* names;
  }
}

/**
 * The value of a field.
 * @throws Error when it is missing: the broker checks presence before it calls a connector.
 */
export function requireField(values: SecretValues, name: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(`the field ${name} is missing`);
  return value.reveal();
}
