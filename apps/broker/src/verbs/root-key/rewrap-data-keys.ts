import type { RewrapResult, RootKeyStatus } from "@keyloan/contract";
import type { DataKeyRow } from "@keyloan/store";
import { rewrapDataKey, VaultError } from "@keyloan/vault";
import type { By } from "../../audit-row.ts";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";

const pageSize = 200;
/** How long one call goes on: whoever asked sees how far it is, and calls again. */
const runMsDefault = 10_000;

/**
 * Wraps data keys anew under the current root key, page by page, and stops when there are none left or the time
 * is up. No value is touched and everything can be read meanwhile. A run that was cut short is finished by the
 * next one; what brokers with another current key wrap meanwhile is left for it too.
 */
export async function rewrapDataKeys(deps: Deps, by: By, runMs = runMsDefault): Promise<RewrapResult> {
  const { currentKeyId } = deps.keyring;
  const until = performance.now() + runMs;
  let rewrapped = 0;
  for (let afterId = ""; performance.now() < until; ) {
    const page = await deps.store.read.dataKeys.listOtherThan(currentKeyId, afterId, pageSize);
    if (page.length === 0) break;
    afterId = page.at(-1)?.id ?? "";
    // Without the root key that wraps it, a data key stays as it is: `showRootKey` tells of it.
    const known = page.filter(({ kid }) => deps.keyring.keyIds.includes(kid));
    const records = known.flatMap((before) => wrapAnew(deps, before));
    rewrapped += await deps.change(bySystem("root-key"), [], async (tx) => {
      let done = 0;
      for (const { before, row } of records) if (await tx.dataKeys.rewrap(row, before)) done += 1;
      return done;
    });
  }
  const { dataKeys, left } = await showRootKey(deps);
  const result = { dataKeys, rewrapped, left, currentKeyId };
  await deps.change(by, [], async (tx) => tx.audit("root_key.rewrapped", currentKeyId, result));
  return result;
}

/** One that does not open is left as it is, and keeps no other from being wrapped anew. */
function wrapAnew({ keyring, logger }: Deps, before: DataKeyRow) {
  try {
    return [{ before, row: rewrapDataKey(keyring, before) }];
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    logger.error(
      { kid: before.kid, ...describeError(error) },
      "a data key does not open: it is not wrapped anew",
    );
    return [];
  }
}

/** Which root keys wrap how many data keys, and how many are left to be wrapped anew. */
export async function showRootKey(deps: Pick<Deps, "store" | "keyring">): Promise<RootKeyStatus> {
  const { currentKeyId, keyIds } = deps.keyring;
  const counts = await deps.store.read.dataKeys.countByRootKey();
  const countOf = (id: string) => counts.find(({ kid }) => kid === id)?.count ?? 0;
  const missing = counts.map(({ kid }) => kid).filter((kid) => !keyIds.includes(kid));
  const dataKeys = counts.reduce((sum, { count }) => sum + count, 0);
  return {
    currentKeyId,
    dataKeys,
    left: dataKeys - countOf(currentKeyId),
    rootKeys: [
      ...keyIds.map((id) => ({
        id,
        state: id === currentKeyId ? ("current" as const) : ("opens" as const),
        dataKeys: countOf(id),
      })),
      ...missing.map((id) => ({ id, state: "missing" as const, dataKeys: countOf(id) })),
    ],
  };
}
