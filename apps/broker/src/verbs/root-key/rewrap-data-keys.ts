import type { Actor } from "@keyloan/contract";
import { rewrapDataKey } from "@keyloan/vault";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";

const pageSize = 200;

export type RewrapResult = {
  readonly dataKeys: number;
  readonly rewrapped: number;
  readonly currentKeyId: string;
};

/**
 * Wraps every data key anew under the current root key. No value is touched. A run that was cut short is
 * finished by the next one.
 */
export async function rewrapDataKeys(deps: Deps, actor: Actor, requestId: string): Promise<RewrapResult> {
  const { currentKeyId } = deps.keyring;
  let rewrapped = 0;
  let afterId = "";
  for (;;) {
    const page = await deps.store.read.dataKeys.listOtherThan(currentKeyId, afterId, pageSize);
    if (page.length === 0) break;
    afterId = page.at(-1)?.id ?? "";
    const records = page.map((row) => ({ before: row.kid, row: rewrapDataKey(deps.keyring, row) }));
    rewrapped += await deps.store.write(async (tables) => {
      let done = 0;
      for (const { before, row } of records) if (await tables.dataKeys.rewrap(row, before)) done += 1;
      return done;
    });
  }
  const result = { dataKeys: await deps.store.read.dataKeys.count(), rewrapped, currentKeyId };
  await deps.store.write((tables) =>
    tables.auditEvents.insertAll([
      auditRow(deps, {
        actor,
        action: "root_key.rewrapped",
        entity: currentKeyId,
        details: result,
        requestId,
      }),
    ]),
  );
  return result;
}
