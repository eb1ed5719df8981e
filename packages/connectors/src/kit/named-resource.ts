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

/** Things at a provider that are found again by a name that only Keyloan gives. */
export type NamedResource = {
  readonly provider: string;
  readonly list: () => AsyncIterable<{ readonly id: string; readonly name: string }>;
  /** The ids of those of a name; looked up in the whole list by default. */
  readonly find?: (name: string) => Promise<readonly string[]>;
  /** The values of one that is there; without it what a crash left is removed, since its secret was shown once. */
  readonly adopt?: (name: string) => Promise<SecretValues>;
  /** Makes one and gives a lease's values. */
  readonly create: (name: string) => Promise<SecretValues>;
  /** Throws ProviderError `not_found` for what is gone already. */
  readonly remove: (id: string) => Promise<unknown>;
};

/**
 * Lends one thing per lease under a planned name; what a crash left under it is adopted or replaced. Every end is read
 * back. Only things whose values are made anew each time can be rotated.
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

/** The answer, or `"gone"` when there is no such thing. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | "gone"> {
  return answer.catch((error: unknown) => {
    if (error instanceof ProviderError && error.code === "not_found") return "gone" as const;
    throw error;
  });
}

/**
 * The names of what leases own: a beginning of ours and the random part of the lease's id.
 * @param part under which the name stands in a handle
 */
export function plannedNames(part: string, prefix: string) {
  const suffixOf = (name: string): string | undefined => {
    const suffix = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    return idPattern("lease").test(`${idPrefixes.lease}_${suffix}`) ? suffix : undefined;
  };
  return {
    plan: (leaseId: string): ResourceHandle => ({ [part]: `${prefix}${idSuffix(leaseId)}` }),
    /** The planned name. It stands in paths, so a handle that was tampered with goes no further. */
    of: (handle: ResourceHandle): string => {
      const name = handle[part] ?? "";
      if (suffixOf(name) === undefined)
        throw new Error(`the lease's handle names no ${part} that Keyloan made`);
      return name;
    },
    suffixOf,
    /** What of a provider's list is ours, by its name. */
    toListed: (name: string): ListedResource[] => {
      const suffix = suffixOf(name);
      return suffix === undefined ? [] : [{ suffix, handle: { [part]: name }, name }];
    },
  };
}
