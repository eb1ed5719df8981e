import { type DatabaseContent, ProviderError, type SecretValues } from "@keyloan/contract";
import { requireField } from "../define-connector.ts";
import { toHttpAddress } from "./address.ts";
import { dump } from "./dump.ts";
import { empty } from "./empty.ts";
import { finishWrites } from "./finish-writes.ts";
import { settle, takeBack } from "./journal.ts";
import { countContent } from "./list-content.ts";
import { load } from "./load.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { probeDurability } from "./probe-durability.ts";
import { summarize } from "./summarize.ts";
import { writeFile } from "./write-file.ts";

export type LibsqlVariables = {
  readonly provider: string;
  /** The variables that hold the URL and the token. */
  readonly url: string;
  readonly token: string;
};

/**
 * Reads and fills a libSQL database over its own HTTP interface. The server's `/dump` is not used: it fails on
 * infinities, on text with a NUL and on names with quotes, and loses `user_version`.
 */
export function libsqlContent(variables: LibsqlVariables): DatabaseContent {
  const { provider } = variables;
  const open = (context: LibsqlDatabase["context"], values: SecretValues) =>
    openDatabase(variables, context, values);
  return {
    dump: async function* (context, values, onProgress) {
      yield* dump(open(context, values), onProgress);
    },
    finishWrites: async (context, values) => finishWrites(open(context, values)),
    isEmpty: async (context, values) => (await countContent(open(context, values))) === 0,
    load: async (context, values, source, onProgress, owner) =>
      load(open(context, values), source, onProgress, owner),
    takeBack: async (context, values, owner) => takeBack(open(context, values), owner),
    settle: async (context, values, owner) => settle(open(context, values), owner),
    summarize: async (context, values, onProgress) => summarize(open(context, values), onProgress),
    empty: async (context, values) => empty(open(context, values)),
    writeFile: (source, path, signal) =>
      writeFile(provider, source, path, signal === undefined ? {} : { signal }),
    probeDurability: async (context, values, options) =>
      probeDurability(open(context, values), context, options),
    file: { extension: "db", mediaType: "application/vnd.sqlite3" },
  };
}

/** @throws ProviderError `rejected` when the URL is not that of a libSQL database */
export function openDatabase(
  { provider, url, token }: LibsqlVariables,
  context: LibsqlDatabase["context"],
  values: SecretValues,
): LibsqlDatabase {
  const address = toHttpAddress(requireField(values, url));
  if (address !== undefined) return { provider, context, address, token: requireField(values, token) };
  throw new ProviderError(provider, "rejected", `was not found: ${url} is not the URL of a database`, {
    remedy: `Set ${url} to the URL as the provider shows it.`,
  });
}
