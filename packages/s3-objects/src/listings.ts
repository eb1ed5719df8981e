import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { followPages } from "@keyloan/contract";
import { invalidResponse } from "./errors.ts";
import type { OpenedBucket } from "./open-bucket.ts";

/** An object as a listing shows it, with its complete key. */
export type ListedObject = { readonly key: string; readonly bytes: number };

export type PendingUpload = { readonly key: string; readonly uploadId: string };

/** Every object under a prefix, in pages of at most 1000. */
export function listObjects(
  opened: OpenedBucket,
  prefix: string,
): AsyncGenerator<readonly ListedObject[], void, void> {
  return listPages(
    opened,
    { Prefix: prefix },
    ({ Contents = [] }, ownKey) =>
      Contents.map(({ Key, Size }) => {
        const key = ownKey(Key);
        if (Size === undefined || !Number.isSafeInteger(Size) || Size < 0) throw invalidResponse(opened.name);
        return { key, bytes: Size };
      }),
    ({ key }) => key,
  );
}

/** The folders directly under a prefix: keys up to the next slash after it, in pages of at most 1000. */
export function listFolders(
  opened: OpenedBucket,
  prefix: string,
): AsyncGenerator<readonly string[], void, void> {
  return listPages(
    opened,
    { Prefix: prefix, Delimiter: "/" },
    ({ CommonPrefixes = [] }, ownKey) => CommonPrefixes.map(({ Prefix }) => ownKey(Prefix)),
    (folder) => folder,
  );
}

/** Every unfinished upload of a key under a prefix. */
export function listUploads(
  { sdk, send, name, bucket }: OpenedBucket,
  prefix: string,
): AsyncGenerator<readonly PendingUpload[], void, void> {
  return followPages(
    name,
    async (marks: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined) => {
      const command = { Bucket: bucket, Prefix: prefix, EncodingType: "url" as const, ...marks };
      const page = await send(new sdk.ListMultipartUploadsCommand(command));
      if (page.Bucket !== bucket) throw invalidResponse(name);
      const { Uploads = [], EncodingType, NextKeyMarker, NextUploadIdMarker = "" } = page;
      const ownKey = keyReader(name, EncodingType, prefix);
      const items = Uploads.map(({ Key, UploadId }) => {
        if (UploadId === undefined) throw invalidResponse(name);
        return { key: ownKey(Key), uploadId: UploadId };
      });
      if (page.IsTruncated !== true) return { items };
      if (NextKeyMarker === undefined) throw invalidResponse(name);
      const KeyMarker = keyReader(name, EncodingType, "")(NextKeyMarker);
      return { items, next: { KeyMarker, UploadIdMarker: NextUploadIdMarker } };
    },
    ({ key, uploadId }) => `${uploadId} ${key}`,
  );
}

type ReadKey = (listed: string | undefined) => string;

function listPages<Item>(
  { sdk, send, name, bucket }: OpenedBucket,
  what: Pick<ListObjectsV2CommandInput, "Delimiter"> & { readonly Prefix: string },
  itemsOf: (page: ListObjectsV2CommandOutput, ownKey: ReadKey) => Item[],
  nameOf: (item: Item) => string,
): AsyncGenerator<readonly Item[], void, void> {
  const read = async (mark: string | undefined) => {
    const from = mark === undefined ? {} : { ContinuationToken: mark };
    const page = await send(
      new sdk.ListObjectsV2Command({ ...what, Bucket: bucket, EncodingType: "url", ...from }),
    );
    // An answer that is not a listing must not be taken for an empty listing.
    if (page.Name !== bucket) throw invalidResponse(name);
    const items = itemsOf(page, keyReader(name, page.EncodingType, what.Prefix));
    if (page.IsTruncated !== true) return { items };
    if (page.NextContinuationToken === undefined) throw invalidResponse(name);
    return { items, next: page.NextContinuationToken };
  };
  return followPages(name, read, nameOf);
}

/** Reads the keys of a listing. Listed keys get deleted, so a key outside the prefix is an error. */
function keyReader(store: string, encoding: string | undefined, prefix: string): ReadKey {
  return (listed = "") => {
    const key = encoding === "url" ? decode(store, listed) : listed;
    if (!key.startsWith(prefix)) throw invalidResponse(store);
    return key;
  };
}

function decode(store: string, listed: string): string {
  try {
    return decodeURIComponent(listed.replaceAll("+", " "));
  } catch {
    throw invalidResponse(store);
  }
}
