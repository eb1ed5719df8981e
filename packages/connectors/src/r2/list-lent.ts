import { type ConnectorContext, idSuffix, type ListedResource, type OrgCredential } from "@keyloan/contract";
import type { ObjectStore } from "@keyloan/s3-objects";
import { openAccountTokens } from "./account-tokens.ts";
import { buildOfPrefix, buildsPrefix } from "./build-prefix.ts";
import { openBucket } from "./client.ts";
import { orgAccess } from "./endpoint.ts";
import { leaseOfTokenName } from "./lease-token.ts";

/**
 * The prefixes of builds that hold objects or unfinished uploads, and the tokens of leases, by their names:
 * whatever else is in the bucket or the account is never given. A prefix tells its build, a token its lease.
 * @throws ProviderError, `not_found` when the bucket is gone
 */
export async function* listLent(
  context: ConnectorContext,
  org: OrgCredential,
): AsyncGenerator<ListedResource> {
  yield* listPrefixes(context, org);
  const tokens = openAccountTokens(context, org.fields);
  if (tokens === undefined) return;
  const found = await tokens.list((name) => leaseOfTokenName(name) !== undefined);
  for (const name of new Set(found.map((token) => token.name))) {
    const leaseId = leaseOfTokenName(name);
    if (leaseId !== undefined) yield { suffix: idSuffix(leaseId), handle: { token: name }, name };
  }
}

async function* listPrefixes(context: ConnectorContext, org: OrgCredential): AsyncGenerator<ListedResource> {
  const store = await openBucket(context, orgAccess(context, org.fields));
  const seen = new Set<string>();
  for await (const prefix of prefixesIn(store)) {
    const buildId = buildOfPrefix(prefix);
    if (buildId === undefined || seen.has(buildId)) continue;
    seen.add(buildId);
    yield { buildSuffix: idSuffix(buildId), handle: { prefix }, name: prefix };
  }
}

async function* prefixesIn(store: ObjectStore): AsyncGenerator<string> {
  for await (const folders of store.listFolders(buildsPrefix)) yield* folders;
  // What was never completed is in no folder yet, and costs as much as what was.
  for await (const uploads of store.listUploads(buildsPrefix)) {
    for (const { key } of uploads) yield key.slice(0, key.indexOf("/", buildsPrefix.length) + 1);
  }
}
