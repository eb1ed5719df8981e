import type { DatabaseDriver } from "@keyloan/contract";
import { ProviderError } from "@keyloan/contract";
import { everyItem } from "../kit/calls/every-item.ts";
import { requireField } from "../kit/define-connector.ts";
import { openTursoApi } from "./client.ts";
import { databaseNames } from "./database-name.ts";

/**
 * The group's databases that are ours by their name, to the last page.
 * @throws ProviderError `invalid_response` for a listing that turns in a circle or does not end
 */
export const listOurs: DatabaseDriver["list"] & {} = async function* (context, org) {
  const { listDatabases } = openTursoApi(context, org.fields);
  const group = requireField(org.fields, "group");
  const names = new Set<string>();
  for await (const { name, group: itsGroup } of everyItem("turso", listDatabases)) {
    // Other groups are other people's, whatever their databases are called.
    const ours = itsGroup === group ? databaseNames.toListed(name) : [];
    if (ours.length > 0 && names.has(name))
      throw new ProviderError("turso", "invalid_response", "lists a database twice");
    names.add(name);
    yield* ours;
  }
};
