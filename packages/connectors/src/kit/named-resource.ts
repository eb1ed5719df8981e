import { ProviderError } from "@keyloan/contract";

/** Things at a provider that are found again by a name that only Keyloan gives. */
export type NamedResource<T> = {
  readonly provider: string;
  /** The ids of what has the name now. */
  readonly find: (name: string) => Promise<readonly string[]>;
  readonly create: (name: string) => Promise<T>;
  /** Throws ProviderError `not_found` for what is gone already. */
  readonly remove: (id: string) => Promise<unknown>;
};

/** Makes what was planned. What a crash left under the name is removed first: its secret was shown once, and is lost. */
export async function replaceNamed<T>(resource: NamedResource<T>, name: string): Promise<T> {
  for (const id of await resource.find(name)) await unlessGone(resource.remove(id));
  return resource.create(name);
}

/**
 * Removes all that has the name, and reads back that it is gone. Gone already is done.
 * @throws ProviderError `unavailable` when the provider still shows it
 */
export async function endNamed(
  { provider, find, remove }: NamedResource<unknown>,
  name: string,
): Promise<void> {
  for (const id of await find(name)) await unlessGone(remove(id));
  if ((await find(name)).length > 0)
    throw new ProviderError(provider, "unavailable", "still shows what it says it has deleted");
}

/** The answer, or `"gone"` when there is no such thing. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | "gone"> {
  return answer.catch((error: unknown) => {
    if (error instanceof ProviderError && error.code === "not_found") return "gone" as const;
    throw error;
  });
}
