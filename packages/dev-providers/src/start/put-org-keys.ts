import { createHash } from "node:crypto";
import { type Client, KeyloanError } from "@keyloan/sdk";
import * as z from "zod";
import { readJsonFile, writePrivateFile } from "../home/private-file.ts";
import { LaunchError } from "../launch-error.ts";
import type { ServedProvider } from "../processes/messages.ts";

const putKeysSchema = z.record(z.string(), z.string());

/**
 * Gives the broker the stand-ins' keys, as an operator would: those it does not have, and those of a
 * stand-in that has other keys than at the last start. A key that someone put since then stays.
 * @param recordFile remembers by connector id a hash of what was put
 * @throws LaunchError when the broker refuses one
 */
export async function putOrgKeys(
  client: Client,
  providers: readonly ServedProvider[],
  recordFile: string,
): Promise<void> {
  const record = { ...readJsonFile(recordFile, putKeysSchema) };
  const { orgKeys } = await client.orgKeys.list();
  const working = new Set(
    orgKeys.filter((key) => key.checkStatus !== "invalid").map(({ connector }) => connector),
  );
  const due = providers.filter(
    ({ id, orgFields }) =>
      Object.keys(orgFields).length > 0 && !(working.has(id) && record[id] === hashOf(orgFields)),
  );
  if (due.length === 0) return;
  await Promise.all(due.map((provider) => putOne(client, provider)));
  for (const { id, orgFields } of due) record[id] = hashOf(orgFields);
  writePrivateFile(recordFile, JSON.stringify(record));
}

async function putOne(client: Client, { id, label, orgFields }: ServedProvider): Promise<void> {
  try {
    await client.orgKeys.put(id, orgFields);
  } catch (error) {
    const reason =
      error instanceof KeyloanError ? `${error.message} ${error.remedy ?? ""}`.trim() : "no answer";
    throw new LaunchError(`The broker does not accept the org key of the ${label} stand-in: ${reason}`);
  }
}

function hashOf(fields: Readonly<Record<string, string>>): string {
  return createHash("sha256")
    .update(JSON.stringify(Object.entries(fields).toSorted()))
    .digest("hex");
}
