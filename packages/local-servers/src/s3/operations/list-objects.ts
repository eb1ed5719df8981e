import { requirePrefix } from "../policy.ts";
import { queryValue } from "../request.ts";
import { writeXml, type XmlFields } from "../xml.ts";
import { type BucketContext, quote, type S3Answer, xmlAnswer } from "./context.ts";
import { type ListPage, listPage } from "./list-page.ts";
import { type Encoding, fromToken, readCount, readEncoding, toToken } from "./list-query.ts";

/** ListObjectsV2. */
export async function listObjectsV2(context: BucketContext): Promise<S3Answer> {
  const { request, bucketName } = context;
  const { prefix, delimiter, encoding, max } = readCommon(context, "ListObjectsV2");
  const token = queryValue(request, "continuation-token");
  const startAfter = queryValue(request, "start-after") ?? "";
  const after = token === undefined ? startAfter : fromToken(token);
  const page = listPage(context.bucket.index, { prefix, delimiter, after, max });
  return xmlAnswer(
    writeXml("ListBucketResult", {
      Name: bucketName,
      Prefix: encoding.encode(prefix),
      KeyCount: page.keys.length + page.commonPrefixes.length,
      MaxKeys: max,
      Delimiter: delimiter === "" ? undefined : encoding.encode(delimiter),
      EncodingType: encoding.name,
      IsTruncated: page.isTruncated,
      ContinuationToken: token,
      NextContinuationToken: page.isTruncated && page.last !== undefined ? toToken(page.last) : undefined,
      StartAfter: startAfter === "" ? undefined : encoding.encode(startAfter),
      ...entries(context, page, encoding),
    }),
  );
}

/** ListObjects, version 1: the next page starts after a key, not at a token. */
export async function listObjectsV1(context: BucketContext): Promise<S3Answer> {
  const { request, bucketName } = context;
  const { prefix, delimiter, encoding, max } = readCommon(context, "ListObjectsV1");
  const marker = queryValue(request, "marker") ?? "";
  const page = listPage(context.bucket.index, { prefix, delimiter, after: marker, max });
  const next = page.isTruncated && delimiter !== "" ? page.last : undefined;
  return xmlAnswer(
    writeXml("ListBucketResult", {
      Name: bucketName,
      Prefix: encoding.encode(prefix),
      Marker: encoding.encode(marker),
      NextMarker: next === undefined ? undefined : encoding.encode(next),
      MaxKeys: max,
      Delimiter: delimiter === "" ? undefined : encoding.encode(delimiter),
      EncodingType: encoding.name,
      IsTruncated: page.isTruncated,
      ...entries(context, page, encoding),
    }),
  );
}

function readCommon(context: BucketContext, action: "ListObjectsV1" | "ListObjectsV2") {
  const { request, policy, bucketName } = context;
  const prefix = queryValue(request, "prefix") ?? "";
  requirePrefix(policy, action, bucketName, prefix);
  return {
    prefix,
    delimiter: queryValue(request, "delimiter") ?? "",
    encoding: readEncoding(request),
    max: readCount(context, "max-keys"),
  };
}

function entries({ bucket }: BucketContext, page: ListPage, encoding: Encoding): XmlFields {
  return {
    Contents: page.keys.flatMap((key) => {
      const object = bucket.index.get(key);
      if (object === undefined) return [];
      return {
        Key: encoding.encode(key),
        LastModified: new Date(object.lastModifiedMs).toISOString(),
        ETag: quote(object.etag),
        Size: object.size,
        StorageClass: "STANDARD",
      };
    }),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encoding.encode(prefix) })),
  };
}
