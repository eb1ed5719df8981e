import type { ClerkSessionOptions } from "@keyloan/connectors/clerk-session";
import type { Secret } from "@keyloan/contract";
import { type ConfigValues, type ConfigVariable, configVariables } from "./config-table.ts";
import { type Environment, readProviderUrls, readVariable } from "./read-variable.ts";
import { isInside } from "./sink-place.ts";

/** Members that mean something only together, and what they are called then. */
type Grouped = Extract<keyof ConfigValues, `clerk${string}` | `archiveS3${string}`>;

export type BrokerConfig = Omit<ConfigValues, Grouped> & {
  /** Off unless the operator's app and its users are named. */
  readonly clerkSessions: ClerkSessionOptions | undefined;
  /** Absent: archives are files. */
  readonly archiveS3: ArchiveS3Config | undefined;
  /** Variables that were given by the name that they had in the version before. */
  readonly renamedVariables: readonly { readonly from: string; readonly to: string }[];
  /** Provider addresses by connector id, only the ones that are replaced. */
  readonly providerUrls: Readonly<Record<string, string>>;
};

export type ArchiveS3Config = {
  /** `https://<endpoint>/<bucket>/<prefix>` */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
};

export type ConfigResult =
  | { readonly ok: true; readonly config: BrokerConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

const groups: readonly (readonly (keyof ConfigValues)[])[] = [
  ["clerkPublishableKey", "clerkSecretKey", "clerkAuthorizedParties"],
  ["archiveS3Url", "archiveS3AccessKeyId", "archiveS3SecretAccessKey"],
];

const variables: readonly (readonly [string, ConfigVariable])[] = Object.entries(configVariables);

/**
 * The broker's configuration from the environment, with every problem at once and never a value in one.
 * @param connectorIds the connectors whose provider address may be replaced and which may be preferred
 */
export function readConfig(environment: Environment, connectorIds: readonly string[]): ConfigResult {
  const problems: string[] = [];
  const values = readValues(environment, problems);
  const providerUrls = readProviderUrls(environment, connectorIds, problems);
  for (const group of groups) {
    const set = group.filter((member) => values[member] !== undefined);
    if (set.length > 0 && set.length < group.length) {
      const names = group.map((member) => configVariables[member].name);
      problems.push(`${names.join(", ")}: set all of them, or none`);
    }
  }
  for (const id of values.preferredConnectors.filter((each) => !connectorIds.includes(each)))
    problems.push(`KEYLOAN_PREFER: there is no connector ${id}; choose from ${connectorIds.join(", ")}`);
  if (isInside(values.dataDirectory, values.auditSink))
    problems.push("KEYLOAN_AUDIT_SINK: must be outside KEYLOAN_DATA_DIR, otherwise it proves nothing");
  if (problems.length > 0) return { ok: false, problems };
  const renamedVariables = variables.flatMap(([, { name: to, formerly: from }]) =>
    from !== undefined && environment[from] !== undefined && environment[to] === undefined
      ? [{ from, to }]
      : [],
  );
  return { ok: true, config: configOf(values, { providerUrls, renamedVariables }) };
}

/** The configuration of these values, and of the defaults for what is not among them. */
export function withDefaults(
  values: Pick<ConfigValues, "dataDirectory" | "rootKey" | "adminToken"> & Partial<ConfigValues>,
): BrokerConfig {
  const given = Object.fromEntries(variables.map(([, { name }]) => [name, undefined]));
  return configOf({ ...readValues(given, []), ...values }, { providerUrls: {}, renamedVariables: [] });
}

function readValues(environment: Environment, problems: string[]): ConfigValues {
  const values = variables.map(([member, variable]) => {
    const text = readVariable(environment, variable, problems);
    if (text === undefined) return [member, variable.otherwise];
    const parsed = variable.schema.safeParse(text);
    if (parsed.success) return [member, parsed.data];
    problems.push(`${variable.name}: ${parsed.error.issues[0]?.message}`);
    return [member, undefined];
  });
  // Holds for every member when no problem was found.
  return Object.fromEntries(values) as ConfigValues;
}

function configOf(
  values: ConfigValues,
  more: Pick<BrokerConfig, "providerUrls" | "renamedVariables">,
): BrokerConfig {
  const { clerkPublishableKey, clerkSecretKey, clerkAuthorizedParties, clerkJwtKey, ...others } = values;
  const { archiveS3Url, archiveS3AccessKeyId, archiveS3SecretAccessKey, archiveS3Region, ...rest } = others;
  const clerkSessions =
    clerkPublishableKey === undefined || clerkSecretKey === undefined || clerkAuthorizedParties === undefined
      ? undefined
      : {
          publishableKey: clerkPublishableKey,
          secretKey: clerkSecretKey,
          authorizedParties: clerkAuthorizedParties,
          ...(clerkJwtKey === undefined ? {} : { jwtKey: clerkJwtKey }),
        };
  const archiveS3 =
    archiveS3Url === undefined || archiveS3AccessKeyId === undefined || archiveS3SecretAccessKey === undefined
      ? undefined
      : {
          url: archiveS3Url,
          region: archiveS3Region,
          accessKeyId: archiveS3AccessKeyId,
          secretAccessKey: archiveS3SecretAccessKey,
        };
  return { ...rest, clerkSessions, archiveS3, ...more };
}

/** The process's own environment. */
export function processEnvironment(): Environment {
  return process.env;
}
