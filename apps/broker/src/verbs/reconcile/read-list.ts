import type { ConnectorContext } from "@keyloan/contract";
import { type Issuer, type ListedResource, type OrgCredential, ProviderError } from "@keyloan/contract";

const resourcesMax = 50_000;
const repeatsMax = 1_000;

/**
 * All of ours that a provider lists, each once.
 * @throws ProviderError also for a list that has no end
 */
export async function readList(
  provider: string,
  list: Issuer["list"] & {},
  context: ConnectorContext,
  org: OrgCredential,
): Promise<readonly ListedResource[]> {
  const found = new Map<string, ListedResource>();
  let repeats = 0;
  for await (const resource of list(context, org)) {
    if (found.has(resource.name)) repeats += 1;
    found.set(resource.name, resource);
    if (repeats > repeatsMax || found.size > resourcesMax) {
      throw new ProviderError(provider, "invalid_response", "has a list that does not end");
    }
    if (context.signal.aborted)
      throw new ProviderError(provider, "timeout", "did not finish its list in time");
  }
  return [...found.values()];
}
