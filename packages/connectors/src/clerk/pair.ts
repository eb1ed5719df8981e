import type { ConnectorContext } from "@keyloan/contract";
import { unlessGone } from "../kit/named-resource.ts";
import { type ClerkDomain, openClerk, readPublicKeyIds } from "./client.ts";
import { isPublicHostName, type PublishableKey } from "./publishable-key.ts";

// Clerk's own suffix for development instances. Its other one, lcl.dev, resolves to loopback addresses.
const clerkSuffix = ".clerk.accounts.dev";

/**
 * Whether a publishable key belongs to the secret key's instance: its host is one that `GET /domains`
 * names as a Frontend API; failing that, the host shows the same signing keys.
 * @throws ProviderError when it could not be told
 */
export async function belongsToInstance(
  context: ConnectorContext,
  secretKey: string,
  { mode, host }: PublishableKey,
): Promise<boolean> {
  const domains = await domainsOf(context, secretKey);
  const frontendHosts = domains.flatMap(({ frontendHost }) => frontendHost ?? []);
  if (frontendHosts.includes(host)) return true;
  // A development instance has one Frontend API; a live one may stand behind a proxy of its own.
  if (mode === "test" && frontendHosts.length > 0) return false;
  if (!mayBeAsked(host, domains)) return false;
  const [own, shown] = await Promise.all([
    openClerk(context, secretKey).readKeyIds(),
    readPublicKeyIds(context, host),
  ]);
  const known = new Set(own);
  return shown.every((kid) => known.has(kid));
}

/** Only hosts that the instance itself named, or Clerk's own, are ever asked: the key is typed by a person. */
function mayBeAsked(host: string, domains: readonly ClerkDomain[]): boolean {
  const named = domains.some(({ hosts }) => hosts.includes(host));
  return isPublicHostName(host) && (named || host.endsWith(clerkSuffix));
}

async function domainsOf(context: ConnectorContext, secretKey: string): Promise<readonly ClerkDomain[]> {
  const domains = await unlessGone(openClerk(context, secretKey).listDomains());
  return domains === "gone" ? [] : domains;
}
