import type { ConnectorContext, StorageEnd } from "@keyloan/contract";
import { valuesAccess } from "./endpoint.ts";
import { openStorage, type StorageClient } from "./storage-client.ts";
import { ChangedUnderway, type Place, storageError, unsendableKey } from "./storage-errors.ts";

/** One object, there or not, in one of the two stores. */
export type ObjectEnd = {
  /** What it throws says which of the two it is. */
  readonly store: StorageClient;
  /** With the prefix. */
  readonly key: string;
  /** The same store, for putting in order what failed, also when the caller has given up. */
  readonly openForCleaning: () => Promise<StorageClient>;
  /** The error, saying which of the two it is. */
  readonly told: (error: unknown) => unknown;
};

const cleaningMs = 15_000;

/** @throws ProviderError `rejected` for a key that cannot be sent */
export async function openEnd(
  { context, values }: StorageEnd,
  key: string,
  place: Place,
): Promise<ObjectEnd> {
  const { prefix, ...access } = valuesAccess(values);
  const told = (error: unknown) => (error instanceof ChangedUnderway ? error : storageError(error, place));
  if (!canBeSent(`${prefix}${key}`)) throw told(unsendableKey());
  const open = async (using: ConnectorContext) => toldBy(told, await openStorage(using, access));
  return {
    store: await open(context),
    key: `${prefix}${key}`,
    openForCleaning: () => open({ ...context, signal: AbortSignal.timeout(cleaningMs) }),
    told,
  };
}

const keyBytesMax = 1024;

/** What stands in an address as `.` or `..` is resolved by fetch; the length is R2's own limit ("Limits"). */
function canBeSent(key: string): boolean {
  const isResolved = key.split("/").some((part) => part === "." || part === "..");
  return key !== "" && !isResolved && Buffer.byteLength(key) <= keyBytesMax;
}

function toldBy(told: ObjectEnd["told"], client: StorageClient): StorageClient {
  const wrap =
    <Given extends readonly unknown[], Answer>(call: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      try {
        return await call(...given);
      } catch (error) {
        throw told(error);
      }
    };
  return {
    list: client.list,
    head: wrap(client.head),
    read: wrap(client.read),
    put: wrap(client.put),
    begin: wrap(client.begin),
    putPart: wrap(client.putPart),
    complete: wrap(client.complete),
    abort: wrap(client.abort),
    uploads: wrap(client.uploads),
    remove: wrap(client.remove),
  };
}
