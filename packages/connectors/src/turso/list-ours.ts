import { type DatabaseDriver, ProviderError } from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { openTursoApi } from "./client.ts";
import { suffixOfDatabaseName } from "./database-name.ts";

const pagesMax = 2_000;

/**
 * The group's databases that are ours by their name, to the last page.
 * @throws ProviderError `invalid_response` for a listing that turns in a circle or does not end
 */
export const listOurs: DatabaseDriver["list"] & {} = async function* (context, org) {
  const api = openTursoApi(context, org.fields);
  const group = requireField(org.fields, "group");
  const [cursors, names] = [new Set<string>(), new Set<string>()];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { databases, next } = await api.listDatabases(cursor);
    for (const { name, group: itsGroup } of databases) {
      const suffix = suffixOfDatabaseName(name);
      // Other groups are other people's, whatever their databases are called.
      if (suffix === undefined || itsGroup !== group) continue;
      if (names.has(name)) throw endless("names a database twice");
      names.add(name);
      yield { suffix, handle: { database: name }, name };
    }
    if (next === undefined) return;
    if (cursors.has(next)) throw endless("repeats a page");
    cursors.add(next);
    cursor = next;
  }
  throw endless("does not end");
};

function endless(what: string): ProviderError {
  return new ProviderError("turso", "invalid_response", `lists its databases in a way that ${what}`);
}
