import {
  type ConnectorContext,
  type Issuer,
  idPattern,
  idPrefixes,
  idSuffix,
  type ListedResource,
  type OrgCredential,
  ProviderError,
  type ResourceHandle,
  type SecretValues,
} from "@keyloan/contract";

/** Resources at a provider that are found again by a name that only Keyloan uses. */
export type NamedResource = {
  readonly provider: string;
  readonly list: () => AsyncIterable<{ readonly id: string; readonly name: string }>;
  /** The ids of the resources with a name; by default they are searched for in the whole list. */
  readonly find?: (name: string) => Promise<readonly string[]>;
  /** The values of an existing resource. Absent: what a crash left is removed, as its secret was shown only once. */
  readonly adopt?: (name: string) => Promise<SecretValues>;
  /** Makes a resource and returns the lease's values. */
  readonly create: (name: string) => Promise<SecretValues>;
  /** Throws ProviderError `not_found` if the resource is already gone. */
  readonly remove: (id: string) => Promise<unknown>;
};

/**
 * Lends one resource per lease under a planned name. What a crash left under that name is adopted or replaced. `revoke`
 * reads back that the resource is gone. Only resources that get new values each time can be rotated.
 */
export function namedIssuer(
  prefix: string,
  open: (context: ConnectorContext, org: OrgCredential) => NamedResource,
): Issuer {
  const names = plannedNames("name", prefix);
  const end = async (resource: NamedResource, name: string) => {
    for (const id of await findNamed(resource, name)) await unlessGone(resource.remove(id));
  };
  const revoke: Issuer["revoke"] = async (context, org, { handle }) => {
    const [resource, name] = [open(context, org), names.of(handle)];
    await end(resource, name);
    if ((await findNamed(resource, name)).length === 0) return;
    throw new ProviderError(
      resource.provider,
      "unavailable",
      "still shows a resource that it reported as deleted",
    );
  };
  const issue: Issuer["issue"] = async (context, org, { handle }) => {
    const [resource, name] = [open(context, org), names.of(handle)];
    const { adopt } = resource;
    if (adopt !== undefined && (await findNamed(resource, name)).length > 0) return adopt(name);
    await end(resource, name);
    return resource.create(name);
  };
  return {
    plan: ({ leaseId }) => names.plan(leaseId),
    issue,
    revoke,
    rotate: async (context, org, lease) => {
      await revoke(context, org, lease);
      return issue(context, org, lease);
    },
    list: async function* (context, org) {
      for await (const { name } of open(context, org).list()) yield* names.toListed(name);
    },
  };
}

async function findNamed({ list, find }: NamedResource, wanted: string): Promise<readonly string[]> {
  if (find !== undefined) return find(wanted);
  const ids: string[] = [];
  for await (const { id, name } of list()) if (name === wanted) ids.push(id);
  return ids;
}

/** The answer, or `"gone"` if the provider reports `not_found`. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | "gone"> {
  return answer.catch((error: unknown) => {
    if (error instanceof ProviderError && error.code === "not_found") return "gone" as const;
    throw error;
  });
}

/**
 * The names of resources that leases own: Keyloan's prefix and the random part of the lease's id.
 * @param part the member of a handle that holds the name
 */
export function plannedNames(part: string, prefix: string) {
  const suffixOf = (name: string): string | undefined => {
    const suffix = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    return idPattern("lease").test(`${idPrefixes.lease}_${suffix}`) ? suffix : undefined;
  };
  return {
    plan: (leaseId: string): ResourceHandle => ({ [part]: `${prefix}${idSuffix(leaseId)}` }),
    /** The planned name. It is used in paths, so this throws an Error for a handle that was tampered with. */
    of: (handle: ResourceHandle): string => {
      const name = handle[part] ?? "";
      if (suffixOf(name) === undefined)
        throw new Error(`the lease's handle names no ${part} that Keyloan made`);
      return name;
    },
    suffixOf,
    /** One entry if the name in a provider's list is one of Keyloan's, otherwise none. */
    toListed: (name: string): ListedResource[] => {
      const suffix = suffixOf(name);
      return suffix === undefined ? [] : [{ suffix, handle: { [part]: name }, name }];
    },
  };
}
