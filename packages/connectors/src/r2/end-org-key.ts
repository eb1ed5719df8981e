import { type ConnectorContext, ProviderError, type SecretValues } from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { type AccountTokens, openAccountTokens } from "./account-tokens.ts";
import { provider } from "./errors.ts";
import { accountTokensPage, tokensPage } from "./spec.ts";

/**
 * Deletes the two tokens that a retired org key is: the id of the one is the access key id ("R2 API tokens, get S3
 * API credentials from an API token"), the other tells its own ("accounts/tokens, verify"). Whatever the key in its
 * place shares stays. R2 may take a minute to hear of it.
 * @throws ProviderError, `rejected` when neither key has an API token for this account
 */
export async function endOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
  kept: SecretValues,
): Promise<void> {
  const own = openAccountTokens(context, fields);
  // The key in its place can do it whatever has become of this one.
  const editor = openEditor(context, fields, kept) ?? own;
  if (editor === undefined) throw cannotEnd(tokensPage);
  if (!isShared(fields, kept, "accessKeyId")) await editor.remove(requireField(fields, "accessKeyId"));
  if (own === undefined || isShared(fields, kept, "apiToken")) return;
  const id = await own.ownId();
  if (id !== undefined) await editor.remove(id);
  if (!(await own.isActive())) return;
  if (id === undefined) throw cannotEnd(accountTokensPage);
  throw new ProviderError(provider, "unavailable", "still accepts an API token after it was deleted");
}

function openEditor(
  context: ConnectorContext,
  fields: SecretValues,
  kept: SecretValues,
): AccountTokens | undefined {
  return isShared(fields, kept, "accountId") ? openAccountTokens(context, kept) : undefined;
}

const isShared = (fields: SecretValues, kept: SecretValues, name: string) =>
  fields[name] !== undefined && fields[name]?.reveal() === kept[name]?.reveal();

const cannotEnd = (page: string) =>
  new ProviderError(provider, "rejected", "has no API token of this account that could end the old key", {
    remedy: `Delete the old key's tokens at ${page}`,
  });
