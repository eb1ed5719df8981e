import type { _Object, ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { invalidResponse } from "./errors.ts";
import { followPages } from "./pages.ts";
import type { OpenedBucket } from "./s3-client.ts";

/** An object as a listing shows it, with its whole key. */
export type ListedObject = { readonly key: string; readonly bytes: number };

export type PendingUpload = { readonly key: string; readonly uploadId: string };

/** Every object under a prefix, in pages of at most 1000. */
export function listObjects(opened: OpenedBucket, prefix: string): AsyncGenerator<readonly ListedObject[]> {
  return listPages(
    opened,
    { Prefix: prefix },
    ({ Contents = [], EncodingType }) => Contents.map((object) => toListed(object, EncodingType, prefix)),
    ({ key }) => key,
  );
}

/** The parts of all keys under a prefix up to the next slash, in pages of at most 1000. */
export function listFolders(opened: OpenedBucket, prefix: string): AsyncGenerator<readonly string[]> {
  return listPages(
    opened,
    { Prefix: prefix, Delimiter: "/" },
    ({ CommonPrefixes = [], EncodingType }) =>
      CommonPrefixes.map(({ Prefix }) => ownKey(Prefix, EncodingType, prefix)),
    (folder) => folder,
  );
}

/** Every unfinished upload of a key under a prefix. */
export function listUploads(
  { sdk, send, bucket }: OpenedBucket,
  prefix: string,
): AsyncGenerator<readonly PendingUpload[]> {
  return followPages(
    async (marks: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined) => {
      const command = { Bucket: bucket, Prefix: prefix, EncodingType: "url" as const, ...marks };
      const page = await send(new sdk.ListMultipartUploadsCommand(command));
      if (page.Bucket !== bucket) throw invalidResponse();
      const { Uploads = [], EncodingType, NextKeyMarker, NextUploadIdMarker = "" } = page;
      const items = Uploads.map(({ Key, UploadId }) => {
        if (UploadId === undefined) throw invalidResponse();
        return { key: ownKey(Key, EncodingType, prefix), uploadId: UploadId };
      });
      if (page.IsTruncated !== true) return { items };
      if (NextKeyMarker === undefined) throw invalidResponse();
      const KeyMarker = decodeKey(NextKeyMarker, EncodingType);
      return { items, next: { KeyMarker, UploadIdMarker: NextUploadIdMarker } };
    },
    ({ key, uploadId }) => `${uploadId} ${key}`,
  );
}

function listPages<Item>(
  { sdk, send, bucket }: OpenedBucket,
  what: Pick<ListObjectsV2CommandInput, "Prefix" | "Delimiter">,
  itemsOf: (page: ListObjectsV2CommandOutput) => Item[],
  nameOf: (item: Item) => string,
): AsyncGenerator<readonly Item[]> {
  return followPages(async (mark: string | undefined) => {
    const page = await send(
      new sdk.ListObjectsV2Command({
        ...what,
        Bucket: bucket,
        EncodingType: "url",
        ...(mark === undefined ? {} : { ContinuationToken: mark }),
      }),
    );
    // An answer that is no listing at all must not pass for an empty one.
    if (page.Name !== bucket) throw invalidResponse();
    const items = itemsOf(page);
    if (page.IsTruncated !== true) return { items };
    if (page.NextContinuationToken === undefined) throw invalidResponse();
    return { items, next: page.NextContinuationToken };
  }, nameOf);
}

function toListed({ Key, Size }: _Object, encoding: string | undefined, prefix: string): ListedObject {
  const key = ownKey(Key, encoding, prefix);
  if (Size === undefined || !Number.isSafeInteger(Size) || Size < 0) throw invalidResponse();
  return { key, bytes: Size };
}

// What a listing names gets deleted, so a key outside the prefix is never taken from it.
function ownKey(listed: string | undefined, encoding: string | undefined, prefix: string): string {
  const key = decodeKey(listed ?? "", encoding);
  if (!key.startsWith(prefix)) throw invalidResponse();
  return key;
}

function decodeKey(listed: string, encoding: string | undefined): string {
  if (encoding !== "url") return listed;
  try {
    return decodeURIComponent(listed.replaceAll("+", " "));
  } catch {
    throw invalidResponse();
  }
}
